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

    /// The rows of the dataset in the order of its measure: class after class.
    #[must_use]
    pub fn rows_by_class(&self) -> Vec<usize> {
        let data = &self.dataset;
        (0..data.class_count()).flat_map(|class| data.class_rows(class).iter().copied()).collect()
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
            let images = [first, other].iter().all(|data| data.dataset.image_shape().is_some());
            let remedy = if images { "bring images to one size with resize, or embed" } else { "embed" };
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
        Some((other, found)) => Err(DataError::ImageShapes {
            shapes: [shape, found],
            names: [first.name.clone(), other.name.clone()],
        }),
    }
}
