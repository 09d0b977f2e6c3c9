//! What exact transport asks of datasets: one dimension, one shape of images, classes that are not too large.

use wowflow::auto::Auto;
use wowflow::dataset::{ImageShape, Precision};
use wowflow::flow::EXACT_LIMIT;
use wowflow_data::{Prepared, choose_precision, common_dimension, common_image_shape, finest_precision};

use crate::error::{Result, refuse};
use crate::record::Program;

/// Settings that every study with exact transport has.
///
/// ```
/// use wowflow::dataset::Precision;
/// use wowflow_study::ExactSettings;
/// let settings = ExactSettings { precision: Precision::F64.into(), ..ExactSettings::default() };
/// assert_eq!((settings.seed, settings.limit), (0, 2000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactSettings {
    /// Precision of the samples; transport is solved in double precision always. Left open: the finest of the datasets,
    /// and double where single would lose what is seen.
    pub precision: Auto<Precision>,
    /// Seed of generators and of samples drawn.
    pub seed: u64,
    /// Classes of more samples than this are refused: exact transport costs the square of them and more.
    pub limit: usize,
}

impl Default for ExactSettings {
    fn default() -> Self {
        Self { precision: Auto::Auto, seed: 0, limit: EXACT_LIMIT }
    }
}

/// What datasets have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Common {
    /// The shape of the images, if any of the datasets is of images.
    pub(crate) shape: Option<ImageShape>,
    pub(crate) precision: Precision,
}

/// Samples a class in the remedy for classes that are too large.
const FEWER: usize = 500;

impl ExactSettings {
    /// Loads a dataset by name.
    pub(crate) fn load(&self, name: &str, program: &Program) -> Result<Prepared> {
        Ok(program.lookup(None).load(name, self.seed)?)
    }

    /// Refuses datasets that exact transport between them cannot be asked of.
    pub(crate) fn check(&self, datasets: &[Prepared]) -> Result<Common> {
        common_dimension(datasets)?;
        for named in datasets {
            let data = &named.dataset;
            let sizes = (0..data.class_count()).map(|class| (data.class_rows(class).len(), class));
            if let Some((size, class)) = sizes.max().filter(|(size, _)| *size > self.limit) {
                refuse!(
                    "expected at most {} samples a class for exact transport, found {size} in class {} of {}: choose fewer in the dataset's name, such as [train]:{}, or raise the exact limit",
                    self.limit,
                    named.label(class),
                    named.name,
                    self.limit.min(FEWER)
                );
            }
        }
        let shape = common_image_shape(datasets)?;
        let all: Vec<&Prepared> = datasets.iter().collect();
        let (precision, _) = choose_precision(self.precision, finest_precision(datasets), &all, |_| true)?;
        Ok(Common { shape, precision })
    }
}

#[cfg(test)]
mod tests {
    use wowflow_data::Lookup;

    use super::*;

    fn loaded(names: &[&str]) -> Vec<Prepared> {
        names.iter().map(|name| Lookup::default().load(name, 0).unwrap()).collect()
    }

    #[test]
    fn datasets_that_fit_share_a_shape_and_a_precision() {
        let settings = ExactSettings::default();
        let common = settings.check(&loaded(&["glyphs:digits:2", "glyphs:letters:3"])).unwrap();
        assert_eq!((common.shape.map(ImageShape::len), common.precision), (Some(784), Precision::F32));
        let common = settings.check(&loaded(&["rings:2", "moons:3"])).unwrap();
        assert_eq!(common, Common { shape: None, precision: Precision::F64 });
        let single = ExactSettings { precision: Precision::F32.into(), ..settings };
        assert_eq!(single.check(&loaded(&["rings:2"])).unwrap().precision, Precision::F32);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let settings = ExactSettings { limit: 4, ..ExactSettings::default() };
        for (names, words) in [
            (
                &["rings:2", "glyphs:digits:2"][..],
                "expected datasets of the same dimension, found 2 (rings:2)",
            ),
            (
                &["rings:5"],
                "expected at most 4 samples a class for exact transport, found 5 in class 2 of rings:5",
            ),
            (&["rings:5"], "such as [train]:4, or raise the exact limit"),
            (&[], "expected at least one dataset"),
        ] {
            let text = settings.check(&loaded(names)).unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
        }
    }
}
