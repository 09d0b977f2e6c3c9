//! A dataset with its name and origin, and what several have to have in common.

use wowflow::dataset::{ImageShape, LabeledDataset, Precision};
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;

use crate::columns::Columns;
use crate::error::DataError;
use crate::read::source::SourceFile;

/// A dataset as it enters a study.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Its name, in the form in which it is read again.
    pub name: String,
    /// The samples.
    pub dataset: LabeledDataset,
    /// One line for people: the name, the number of samples, the place.
    pub description: String,
    /// The files it was read from.
    pub files: Vec<SourceFile>,
    /// What the classes show, in the order of [`LabeledDataset::classes`], where the labels do not say.
    pub class_names: Option<Vec<String>>,
    /// How its coordinates are told apart.
    pub columns: Columns,
}

impl Prepared {
    /// A dataset that was made in memory.
    #[must_use]
    pub fn in_memory(name: &str, dataset: LabeledDataset) -> Self {
        let description = format!("{name}: {} samples", dataset.len());
        Self {
            name: name.to_owned(),
            dataset,
            description,
            files: Vec::new(),
            class_names: None,
            columns: Columns::Places,
        }
    }

    /// The measure of the dataset, classes in the order of its labels.
    ///
    /// # Errors
    /// A coordinate that is finite as stored but not in `T`.
    pub fn measure<T: Scalar>(&self) -> Result<MeasureOverMeasures<T>, DataError> {
        MeasureOverMeasures::from_dataset(&self.dataset)
            .map_err(|error| DataError::Measure { name: self.name.clone(), error })
    }

    /// The label of a class.
    #[must_use]
    pub fn label(&self, class: usize) -> String {
        self.dataset.classes()[class].to_string()
    }

    /// The labels of all classes.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        (0..self.dataset.class_count()).map(|class| self.label(class)).collect()
    }

    /// What a class is called in pictures: its name where it has one, its label otherwise.
    #[must_use]
    pub fn class_name(&self, class: usize) -> String {
        self.class_names.as_ref().map_or_else(|| self.label(class), |names| names[class].clone())
    }

    /// Labels, each with what it shows where that is known and not the same.
    #[must_use]
    pub fn labels_with_names(&self) -> Vec<String> {
        let both = |(class, label): (usize, String)| match &self.class_names {
            Some(names) if names[class] != label => format!("{label} {}", names[class]),
            _ => label,
        };
        self.labels().into_iter().enumerate().map(both).collect()
    }
}

/// The dimension that all datasets share.
///
/// # Errors
/// No datasets, or datasets of different dimensions.
pub fn common_dimension<'a>(datasets: impl IntoIterator<Item = &'a Prepared>) -> Result<usize, DataError> {
    let mut datasets = datasets.into_iter();
    let first = datasets.next().ok_or(DataError::NoDatasets)?;
    let dim = first.dataset.dim();
    match datasets.find(|other| other.dataset.dim() != dim) {
        None => Ok(dim),
        Some(other) => {
            same_channels(first, other)?;
            let images = [first, other].iter().all(|data| data.dataset.image_shape().is_some());
            let remedy = if images { "bring images to one size (--resize 28x28), or embed" } else { "embed" };
            Err(DataError::Dimensions {
                dims: [dim, other.dataset.dim()],
                names: [first.name.clone(), other.name.clone()],
                remedy,
            })
        }
    }
}

/// The precision that loses nothing of the datasets.
#[must_use]
pub fn finest_precision<'a>(datasets: impl IntoIterator<Item = &'a Prepared>) -> Precision {
    let double = |data: &Prepared| data.dataset.points().precision() == Precision::F64;
    if datasets.into_iter().any(double) { Precision::F64 } else { Precision::F32 }
}

/// The shape of the images, if any of the datasets is of images.
///
/// # Errors
/// Images of different shapes.
pub fn common_image_shape<'a>(
    datasets: impl IntoIterator<Item = &'a Prepared>,
) -> Result<Option<ImageShape>, DataError> {
    let mut shaped = datasets.into_iter().filter_map(|data| Some((data, data.dataset.image_shape()?)));
    let Some((first, shape)) = shaped.next() else { return Ok(None) };
    match shaped.find(|(_, other)| *other != shape) {
        None => Ok(Some(shape)),
        Some((other, found)) => {
            same_channels(first, other)?;
            let names = [first.name.clone(), other.name.clone()];
            Err(DataError::ImageShapes { shapes: [shape, found], names })
        }
    }
}

/// That two datasets of images are both grey or both in colour: another size would not help those that are not.
fn same_channels(first: &Prepared, other: &Prepared) -> Result<(), DataError> {
    let channels = [first, other].map(|data| data.dataset.image_shape().map(|shape| shape.channels));
    match channels {
        [Some(one), Some(two)] if one != two => {
            Err(DataError::Channels { channels: [one, two], names: [first.name.clone(), other.name.clone()] })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use wowflow::dataset::{Label, Points};

    use super::*;

    fn images(name: &str, width: usize, channels: usize) -> Prepared {
        let shape = ImageShape { width, height: 4, channels };
        let points = Points::F32(vec![0.5; shape.len()]);
        let data = LabeledDataset::new(points, shape.len(), vec![Label::Int(0)]);
        Prepared::in_memory(name, data.and_then(|data| data.with_image_shape(shape)).unwrap())
    }

    #[test]
    fn what_differs_is_named_as_what_it_is() {
        let error = |pair: [&Prepared; 2]| {
            let dimension = common_dimension(pair).unwrap_err().to_string();
            (dimension, common_image_shape(pair).unwrap_err().to_string())
        };
        let (grey, small, colour) = (images("grey", 5, 1), images("small", 3, 1), images("rgb", 5, 3));
        let channels = |one: &str, two: &str| {
            format!(
                "expected images with the same channels, found {one} and {two}, where 1 is grey and 3 are colours: \
                 --grey or --rgb brings all to the same, [grey] or [rgb] after a name those of one"
            )
        };
        let expected = channels("1 (grey)", "3 (rgb)");
        assert_eq!(error([&grey, &colour]), (expected.clone(), expected));
        // A size would not help them, either.
        assert_eq!(error([&colour, &small]).0, channels("3 (rgb)", "1 (small)"));
        let (dimension, shape) = error([&grey, &small]);
        assert!(dimension.contains("bring images to one size (--resize 28x28)"), "{dimension}");
        assert!(shape.ends_with("--resize 28x28, for one, brings all to one size"), "{shape}");
        assert_eq!(common_dimension([&grey, &grey]).unwrap(), 20);
    }
}
