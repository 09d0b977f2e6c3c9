//! Networks in files: safetensors, with the architecture in the head.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use wowflow::dataset::ImageShape;

use crate::architecture::{Architecture, Input};
use crate::error::LearnError;
use crate::network::Network;

/// The version of the layout that is written.
const FORMAT: &str = "1";

impl Network {
    /// The network as a safetensors file: tensors `0.weight`, `0.bias`, ... in the order of the layers; architecture,
    /// input, classes and labels in the head.
    ///
    /// # Errors
    /// Nothing that a valid network has.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LearnError> {
        let bytes = |range: std::ops::Range<usize>| -> Vec<u8> {
            self.parameters()[range].iter().flat_map(|value| value.to_le_bytes()).collect()
        };
        let mut tensors = Vec::new();
        for (at, weights, biases) in self.tensors() {
            let rows = biases.len();
            let shape = if weights.len() == rows { vec![rows] } else { vec![rows, weights.len() / rows] };
            tensors.push((format!("{at}.weight"), shape, bytes(weights)));
            tensors.push((format!("{at}.bias"), vec![rows], bytes(biases)));
        }
        let views = tensors.iter().map(|(name, shape, data)| {
            TensorView::new(Dtype::F32, shape.clone(), data).map(|view| (name.clone(), view))
        });
        let views = views.collect::<Result<Vec<_>, _>>().map_err(|e| LearnError::file(&e))?;
        let (kind, shape) = match self.input() {
            Input::Image(of) => ("image", format!("{}x{}x{}", of.width, of.height, of.channels)),
            Input::Vector(dim) => ("vector", dim.to_string()),
        };
        let head = [
            ("format", FORMAT.to_owned()),
            ("architecture", self.architecture().to_string()),
            ("input", kind.to_owned()),
            ("shape", shape),
            ("classes", self.classes().to_string()),
        ];
        let mut head: HashMap<String, String> = head.map(|(key, value)| (key.to_owned(), value)).into();
        if !self.labels().is_empty() {
            let labels = serde_json::to_string(self.labels()).map_err(|e| LearnError::file(&e))?;
            head.insert("labels".to_owned(), labels);
        }
        serialize(views, Some(head)).map_err(|e| LearnError::file(&e))
    }

    /// Writes [`Self::to_bytes`] aside and renames it: no file is ever half written.
    ///
    /// # Errors
    /// A file that exists, or a folder that cannot be written to.
    pub fn save(&self, path: &Path) -> Result<(), LearnError> {
        let bytes = self.to_bytes()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist_noclobber(path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error: std::io::Error| LearnError::file_at(path, &error))
    }

    /// A network as [`Self::save`] wrote it.
    ///
    /// # Errors
    /// A file that cannot be read, is no network, or does not have the tensors of its architecture.
    pub fn load(path: &Path) -> Result<Self, LearnError> {
        let bytes = std::fs::read(path).map_err(|error| LearnError::file_at(path, &error))?;
        Self::from_bytes(&bytes).map_err(|error| LearnError::file_at(path, &error))
    }

    /// A network from the content of a file.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LearnError> {
        let (_, head) = SafeTensors::read_metadata(bytes).map_err(|e| LearnError::file(&e))?;
        let head = head.metadata().clone().unwrap_or_default();
        let key = |name: &str| {
            let found = head.get(name).map(String::as_str);
            found.ok_or_else(|| LearnError::file(&format!("expected {name} in the head, found none")))
        };
        if key("format")? != FORMAT {
            let found = key("format")?;
            return Err(LearnError::file(&format!("expected format {FORMAT}, found {found}")));
        }
        let number = |text: &str| {
            let number = text.parse::<usize>().ok().filter(|number| *number <= 1 << 24);
            number.ok_or_else(|| LearnError::file(&format!("expected a number below 2^24, found {text}")))
        };
        let shape = key("shape")?;
        let input = match (key("input")?, shape.split('x').collect::<Vec<_>>().as_slice()) {
            ("vector", [dim]) => Input::Vector(number(dim)?),
            ("image", [width, height, channels]) => Input::Image(ImageShape {
                width: number(width)?,
                height: number(height)?,
                channels: number(channels)?,
            }),
            (kind, _) => {
                let message = format!("expected an input of vectors or images, found {kind} of {shape}");
                return Err(LearnError::file(&message));
            }
        };
        let (architecture, classes) =
            (key("architecture")?.parse::<Architecture>()?, number(key("classes")?)?);
        let file = SafeTensors::deserialize(bytes).map_err(|e| LearnError::file(&e))?;
        // No more is allocated than the file has numbers for.
        let small = |input: Input| match input {
            Input::Vector(_) => true,
            Input::Image(of) => [of.width, of.height, of.channels].iter().all(|side| *side <= 1 << 12),
        };
        if !small(input) {
            return Err(LearnError::file(&format!(
                "expected images of at most 4096 pixels a side, found {shape}"
            )));
        }
        let layers = architecture.layers(input, classes)?;
        let expected = layers.last().map_or(0, |layer| layer.biases.end);
        let found = file.iter().map(|(_, tensor)| tensor.data().len() / 4).sum::<usize>();
        if expected != found {
            let message = format!("expected {expected} parameters of {architecture}, found {found}");
            return Err(LearnError::file(&message));
        }
        let mut network = Self::new(architecture, input, classes, 0)?;
        if let Some(labels) = head.get("labels") {
            let labels = serde_json::from_str(labels)
                .map_err(|e| LearnError::file(&format!("expected a list of labels, {e}")))?;
            network = network.with_labels(labels)?;
        }
        let tensors: Vec<_> = network.tensors().collect();
        if file.len() != 2 * tensors.len() {
            let expected = 2 * tensors.len();
            return Err(LearnError::file(&format!("expected {expected} tensors, found {}", file.len())));
        }
        for (at, weights, biases) in tensors {
            for (name, range) in [("weight", weights), ("bias", biases)] {
                let tensor = file.tensor(&format!("{at}.{name}")).map_err(|e| LearnError::file(&e))?;
                let (expected, found) = (range.len(), tensor.data().len() / 4);
                if tensor.dtype() != Dtype::F32 || expected != found {
                    return Err(LearnError::file(&format!(
                        "expected {expected} numbers of F32 in {at}.{name}, found {found} of {:?}",
                        tensor.dtype()
                    )));
                }
                let values = tensor.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
                network.parameters_mut()[range].iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
        }
        match network.parameters().iter().find(|value| !value.is_finite()) {
            Some(found) => Err(LearnError::file(&format!("expected finite parameters, found {found}"))),
            None => Ok(network),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        let input = Input::Image(ImageShape { width: 8, height: 9, channels: 3 });
        Network::new(Architecture::ConvNet, input, 4, 7).unwrap()
    }

    #[test]
    fn a_network_comes_back_whole_and_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        let names = ["a", "b, \"c\"", "", "d"].map(str::to_owned).to_vec();
        let named = Network::new(Architecture::Mlp, Input::Vector(5), 3, 1).unwrap();
        assert!(named.clone().with_labels(names[..2].to_vec()).is_err());
        let named = named.with_labels(names[..3].to_vec()).unwrap();
        for network in [network(), named, Network::new(Architecture::Mlp, Input::Vector(5), 3, 1).unwrap()] {
            let name = format!("{}-{}", network.architecture(), network.labels().len());
            let path = path.with_extension(name);
            network.save(&path).unwrap();
            assert_eq!(Network::load(&path).unwrap(), network);
            assert!(network.save(&path).is_err(), "a file that is there stays");
        }
        assert!(Network::load(&folder.path().join("none")).unwrap_err().to_string().contains("none"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "no temporary files");
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = network().to_bytes().unwrap();
        for cut in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
            assert!(Network::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let refused = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len(), "the length of the head stays");
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            let mut changed = bytes.clone();
            changed[at..at + to.len()].copy_from_slice(to.as_bytes());
            Network::from_bytes(&changed).unwrap_err().to_string()
        };
        assert!(refused("convnet", "convnot").contains("convnot"));
        assert!(refused("8x9x3", "8x9x1").contains("parameters of convnet"), "{}", refused("8x9x3", "8x9x1"));
        assert!(refused("\"classes\":\"4\"", "\"classes\":\"9\"").contains("parameters of convnet"));
        assert!(refused("\"format\":\"1\"", "\"format\":\"2\"").contains("found 2"));
        let mut nan = bytes.clone();
        let last = nan.len() - 4;
        nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(Network::from_bytes(&nan).unwrap_err().to_string().contains("finite"));
    }
}
