//! The labeled dataset every reader produces and every method consumes, validated once.

use std::collections::BTreeMap;
use std::fmt;

use crate::scalar::Scalar;

mod error;
mod points;

pub use error::DatasetError;
pub use points::{Points, Precision, Spread, Stored};

/// A class label: whole numbers stay numbers, everything else is text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// A whole number, as in most image datasets.
    Int(i64),
    /// Any other label, such as a folder's name.
    Text(String),
}

impl Label {
    /// Reads a label as people write it: `3`, `3.0` and `+3` are the number 3, the rest is text.
    ///
    /// Codes that only look like numbers stay apart: `01` and `1` are two labels, `0e12` and `0e99` as well. Spaces and
    /// tabs around a label are none of it; a space that does not break is.
    ///
    /// ```
    /// use wowflow::dataset::Label;
    /// assert_eq!(Label::parse("3.0"), Label::Int(3));
    /// assert_eq!(Label::parse("01"), Label::from("01"));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_ascii();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        let zeros = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
        let plain =
            digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        match whole.parse() {
            Ok(value) if plain && zeros => Self::Int(value),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// Whether it is a whole number.
    #[must_use]
    pub fn is_int(&self) -> bool {
        matches!(self, Self::Int(_))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<i64> for Label {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// How a row of points is laid out as an image: row-major pixels, channel after channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// 1 (grey) or 3 (red plane, green plane, blue plane).
    pub channels: usize,
}

impl ImageShape {
    /// Number of coordinates of one image.
    #[must_use]
    pub fn len(self) -> usize {
        self.width * self.height * self.channels
    }

    /// Whether an image of this shape has no pixels.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.width, self.height, self.channels)
    }
}

/// Samples with labels: the currency between readers, methods and reports.
///
/// Points are `n x d`, row-major. Classes are sorted by label and may have any sizes. Weights are
/// uniform unless given: within a class over its samples, and over the classes
/// (`book/src/mathematics.md`, "Objects").
///
/// ```
/// use wowflow::dataset::{Label, LabeledDataset, Points};
/// let points = Points::F64(vec![0.0, 0.0, 1.0, 0.0, 5.0, 5.0]);
/// let labels = ["a", "b", "a"].map(Label::from).to_vec();
/// let data = LabeledDataset::new(points, 2, labels)?;
/// assert_eq!((data.len(), data.dim(), data.class_count()), (3, 2, 2));
/// assert_eq!(data.class_rows(0), &[0, 2]);
/// # Ok::<(), wowflow::dataset::DatasetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LabeledDataset {
    points: Points,
    dim: usize,
    classes: Vec<Label>,
    class_of: Vec<usize>,
    rows: Vec<Vec<usize>>,
    sample_weights: Option<Vec<f64>>,
    class_weights: Option<Vec<f64>>,
    image_shape: Option<ImageShape>,
    sample_names: Option<Vec<String>>,
    source_rows: Option<Vec<usize>>,
}

impl LabeledDataset {
    /// Checks and stores `n x dim` row-major points with one label a row.
    ///
    /// # Errors
    /// No samples, no coordinates, a number of labels that differs from the number of rows, or a
    /// coordinate that is NaN or infinite.
    pub fn new(points: Points, dim: usize, labels: Vec<Label>) -> Result<Self, DatasetError> {
        if dim == 0 {
            return Err(DatasetError::ZeroDimension);
        }
        if points.is_empty() {
            return Err(DatasetError::Empty);
        }
        if !points.len().is_multiple_of(dim) {
            return Err(DatasetError::RaggedRows { dim, found: points.len() });
        }
        let samples = points.len() / dim;
        if samples != labels.len() {
            return Err(DatasetError::LabelCount { samples, labels: labels.len() });
        }
        if let Some((index, found)) = points.first_non_finite() {
            return Err(DatasetError::NotFinite { row: index / dim + 1, column: index % dim + 1, found });
        }
        let mut rows_of = BTreeMap::<Label, Vec<usize>>::new();
        for (row, label) in labels.into_iter().enumerate() {
            rows_of.entry(label).or_default().push(row);
        }
        let (classes, rows): (Vec<_>, Vec<_>) = rows_of.into_iter().unzip();
        let mut class_of = vec![0; samples];
        for (class, rows) in rows.iter().enumerate() {
            rows.iter().for_each(|&row| class_of[row] = class);
        }
        Ok(Self {
            points,
            dim,
            classes,
            class_of,
            rows,
            sample_weights: None,
            class_weights: None,
            image_shape: None,
            sample_names: None,
            source_rows: None,
        })
    }

    /// Declares that every row is an image.
    ///
    /// # Errors
    /// The shape has another number of pixels than a row has coordinates.
    pub fn with_image_shape(mut self, shape: ImageShape) -> Result<Self, DatasetError> {
        if shape.len() != self.dim {
            return Err(DatasetError::ImageShape { shape, expected: shape.len(), found: self.dim });
        }
        self.image_shape = Some(shape);
        Ok(self)
    }

    /// The same samples with the coordinates at some places, in that order.
    ///
    /// # Panics
    /// A place beyond the dimension.
    #[must_use]
    pub fn with_columns(&self, order: &[usize]) -> Self {
        self.laid_out(order.len(), |k| Some(order[k]))
    }

    /// The same samples with zeros as further coordinates.
    ///
    /// # Panics
    /// A dimension below that of the samples.
    #[must_use]
    pub fn padded(&self, dim: usize) -> Self {
        assert!(dim >= self.dim, "expected at least {} coordinates, found {dim}", self.dim);
        self.laid_out(dim, |k| (k < self.dim).then_some(k))
    }

    /// Samples whose coordinate `k` is that at `place(k)`, 0 where there is none; no images any more.
    fn laid_out(&self, dim: usize, place: impl Fn(usize) -> Option<usize>) -> Self {
        fn lay<T: Scalar>(
            values: &[T],
            from: usize,
            to: usize,
            place: impl Fn(usize) -> Option<usize>,
        ) -> Vec<T> {
            let row = |row: &[T]| (0..to).map(|k| place(k).map_or(T::ZERO, |k| row[k])).collect::<Vec<T>>();
            values.chunks_exact(from).flat_map(row).collect()
        }
        let points = match &self.points {
            Points::F32(values) => Points::F32(lay(values, self.dim, dim, place)),
            Points::F64(values) => Points::F64(lay(values, self.dim, dim, place)),
        };
        Self { points, dim, image_shape: None, ..self.clone() }
    }

    /// Sets one weight a sample, in row order; they are normalised within each class.
    ///
    /// # Errors
    /// A wrong number of weights, a negative or non-finite one, or a class of total weight 0.
    pub fn with_sample_weights(mut self, weights: Vec<f64>) -> Result<Self, DatasetError> {
        check_weights("sample", &weights, self.len())?;
        for (label, rows) in self.classes.iter().zip(&self.rows) {
            if rows.iter().map(|&row| weights[row]).sum::<f64>() <= 0.0 {
                return Err(DatasetError::ZeroMass { of: format!("class {label}") });
            }
        }
        self.sample_weights = Some(weights);
        Ok(self)
    }

    /// Sets one weight a class, in the order of [`Self::classes`]; they are normalised to sum 1.
    ///
    /// # Errors
    /// A wrong number of weights, a negative or non-finite one, or a total of 0.
    pub fn with_class_weights(mut self, weights: Vec<f64>) -> Result<Self, DatasetError> {
        check_weights("class", &weights, self.class_count())?;
        if weights.iter().sum::<f64>() <= 0.0 {
            return Err(DatasetError::ZeroMass { of: "all classes".to_owned() });
        }
        self.class_weights = Some(weights);
        Ok(self)
    }

    /// Sets one name a sample, in row order: an identifier or the file it came from.
    ///
    /// # Errors
    /// A wrong number of names.
    pub fn with_sample_names(mut self, names: Vec<String>) -> Result<Self, DatasetError> {
        if names.len() != self.len() {
            return Err(DatasetError::NameCount { samples: self.len(), names: names.len() });
        }
        self.sample_names = Some(names);
        Ok(self)
    }

    /// Samples that stand class after class of `source`, as those of a measure do, back in the order of its rows, with
    /// its names and [`Self::source_row`]s.
    ///
    /// ```
    /// use wowflow::dataset::{Label, LabeledDataset, Points};
    /// use wowflow::measure::MeasureOverMeasures;
    /// let labels = ["b", "a", "b"].map(Label::from).to_vec();
    /// let source = LabeledDataset::new(Points::F64(vec![0.0, 1.0, 2.0]), 1, labels)?;
    /// let source = source.with_sample_names(["x", "y", "z"].map(String::from).to_vec())?;
    /// let p = MeasureOverMeasures::<f64>::from_dataset(&source)?;
    /// assert_eq!(p.points(), [1.0, 0.0, 2.0]);
    /// let moved = p.with_points(p.points().iter().map(|x| x + 10.0).collect(), 1)?;
    /// let moved = moved.to_dataset(source.classes())?.in_order_of(&source)?;
    /// assert_eq!(moved.points(), &Points::F64(vec![10.0, 11.0, 12.0]));
    /// assert_eq!(moved.sample_names(), source.sample_names());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Another number of samples than `source` has.
    pub fn in_order_of(&self, source: &Self) -> Result<Self, DatasetError> {
        if self.len() != source.len() {
            return Err(DatasetError::LabelCount { samples: self.len(), labels: source.len() });
        }
        let mut place = vec![0; source.len()];
        source.rows_by_class().into_iter().enumerate().for_each(|(index, row)| place[row] = index);
        let all: Vec<usize> = (0..source.len()).collect();
        self.select(&place)?.with_samples_of(source, &all)
    }

    /// Declares that sample `k` is what became of row `rows[k]` of `source`: names and [`Self::source_row`]s are those.
    ///
    /// # Errors
    /// Another number of rows than of samples.
    ///
    /// # Panics
    /// A row beyond those of `source`.
    pub fn with_samples_of(mut self, source: &Self, rows: &[usize]) -> Result<Self, DatasetError> {
        if self.len() != rows.len() {
            return Err(DatasetError::LabelCount { samples: self.len(), labels: rows.len() });
        }
        let names = |names: &Vec<String>| rows.iter().map(|&row| names[row].clone()).collect();
        self.sample_names = source.sample_names.as_ref().map(names);
        self.source_rows = Some(rows.iter().map(|&row| source.source_row(row)).collect());
        Ok(self)
    }

    /// Number of samples, `n`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.class_of.len()
    }

    /// Always false: a dataset has samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Coordinates a sample, `d`.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All coordinates, row-major.
    #[must_use]
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// The coordinates of one sample as doubles.
    #[must_use]
    pub fn row(&self, row: usize) -> Vec<f64> {
        self.points.to_vec(row * self.dim..(row + 1) * self.dim)
    }

    /// The labels that occur, sorted.
    #[must_use]
    pub fn classes(&self) -> &[Label] {
        &self.classes
    }

    /// Number of classes, `C`.
    #[must_use]
    pub fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// Rows of a class, increasing.
    #[must_use]
    pub fn class_rows(&self, class: usize) -> &[usize] {
        &self.rows[class]
    }

    /// All rows in the order in which a measure has its samples: class after class.
    #[must_use]
    pub fn rows_by_class(&self) -> Vec<usize> {
        self.rows.iter().flatten().copied().collect()
    }

    /// Class index of every row.
    #[must_use]
    pub fn class_of(&self) -> &[usize] {
        &self.class_of
    }

    /// The label of a row.
    #[must_use]
    pub fn label(&self, row: usize) -> &Label {
        &self.classes[self.class_of[row]]
    }

    /// Sample weights as given, if any.
    #[must_use]
    pub fn sample_weights(&self) -> Option<&[f64]> {
        self.sample_weights.as_deref()
    }

    /// Class weights as given, if any.
    #[must_use]
    pub fn class_weights(&self) -> Option<&[f64]> {
        self.class_weights.as_deref()
    }

    /// The image shape, if the rows are images.
    #[must_use]
    pub fn image_shape(&self) -> Option<ImageShape> {
        self.image_shape
    }

    /// Names of the samples as given, if any.
    #[must_use]
    pub fn sample_names(&self) -> Option<&[String]> {
        self.sample_names.as_deref()
    }

    /// The row, counted from 0, that a sample had in the dataset that all were drawn from: the row itself, but after
    /// [`Self::select`] or [`Self::in_order_of`].
    ///
    /// # Panics
    /// A row beyond the samples.
    #[must_use]
    pub fn source_row(&self, row: usize) -> usize {
        self.source_rows.as_ref().map_or(row, |rows| rows[row])
    }

    /// Whether rows were drawn or ordered anew, so that [`Self::source_row`] says more than the row.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.source_rows.is_some()
    }

    /// The same labels, weights, names and image shape with other points, as many.
    ///
    /// # Errors
    /// Another number of coordinates, or one that is NaN or infinite.
    pub fn with_points(&self, points: Points) -> Result<Self, DatasetError> {
        let moved = self.embedded(points, self.dim)?;
        Ok(Self { image_shape: self.image_shape, ..moved })
    }

    /// The same labels, weights and names with points in another space, as many; no images any more.
    ///
    /// # Errors
    /// Another number of coordinates, or one that is NaN or infinite.
    pub fn embedded(&self, points: Points, dim: usize) -> Result<Self, DatasetError> {
        let labels = (0..self.len()).map(|row| self.label(row).clone()).collect();
        let moved = Self::new(points, dim, labels)?;
        Ok(Self { points: moved.points, dim, image_shape: None, ..self.clone() })
    }

    /// The dataset of the given rows, in that order; weights, names and image shape follow, and [`Self::source_row`]
    /// says where a sample was.
    ///
    /// # Errors
    /// No rows, or a class whose chosen samples all have weight 0.
    pub fn select(&self, rows: &[usize]) -> Result<Self, DatasetError> {
        let labels = rows.iter().map(|&row| self.label(row).clone()).collect();
        let mut chosen = Self::new(self.points.select_rows(rows, self.dim), self.dim, labels)?;
        chosen.image_shape = self.image_shape;
        if let Some(weights) = &self.sample_weights {
            chosen = chosen.with_sample_weights(rows.iter().map(|&row| weights[row]).collect())?;
        }
        if let Some(weights) = &self.class_weights {
            let kept = chosen.classes.iter().map(|label| {
                let class = self.classes.partition_point(|known| known < label);
                weights[class]
            });
            let kept = kept.collect();
            chosen = chosen.with_class_weights(kept)?;
        }
        chosen.with_samples_of(self, rows)
    }
}

fn check_weights(what: &'static str, weights: &[f64], expected: usize) -> Result<(), DatasetError> {
    if weights.len() != expected {
        return Err(DatasetError::WeightCount { what, expected, found: weights.len() });
    }
    match weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        Some(index) => Err(DatasetError::BadWeight { what, index: index + 1, found: weights[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[i64]) -> Vec<Label> {
        values.iter().copied().map(Label::Int).collect()
    }

    #[test]
    fn labels_that_are_whole_numbers_are_numbers() {
        assert_eq!(Label::parse(" 3.0 "), Label::Int(3));
        assert_eq!(Label::parse("+1"), Label::Int(1));
        assert_eq!(Label::parse("3.5"), Label::Text("3.5".into()));
        assert_eq!(Label::parse("cat"), Label::Text("cat".into()));
    }

    #[test]
    fn classes_are_ragged_and_sorted() {
        let data =
            LabeledDataset::new(Points::F32(vec![0.0, 1.0, 2.0, 3.0]), 1, labels(&[5, -2, 5, 5])).unwrap();
        assert_eq!(data.classes(), &[Label::Int(-2), Label::Int(5)]);
        assert_eq!(data.class_rows(0), &[1]);
        assert_eq!(data.class_rows(1), &[0, 2, 3]);
        let chosen = data.select(&[3, 1]).unwrap();
        assert_eq!(chosen.row(0), vec![3.0]);
        assert_eq!(chosen.label(1), &Label::Int(-2));
    }

    #[test]
    fn samples_keep_their_names_and_rows() {
        let data = LabeledDataset::new(Points::F32(vec![0.0, 1.0, 2.0, 3.0]), 1, labels(&[5, -2, 5, 5]));
        let names = ["a", "b", "c", "d"].map(String::from).to_vec();
        let data = data.unwrap().with_sample_names(names).unwrap();
        let few = data.select(&[3, 1, 0]).unwrap().select(&[2, 0, 1]).unwrap();
        assert_eq!(few.sample_names().unwrap(), ["a", "d", "b"]);
        assert_eq!([0, 1, 2].map(|row| few.source_row(row)), [0, 3, 1]);
        assert_eq!(few.rows_by_class(), [2, 0, 1]);
        let by_class = LabeledDataset::new(Points::F32(vec![11.0, 10.0, 13.0]), 1, labels(&[1, 1, 7]));
        let back = by_class.unwrap().in_order_of(&few).unwrap();
        assert_eq!(back.points(), &Points::F32(vec![10.0, 13.0, 11.0]));
        assert_eq!(back.label(1), &Label::Int(7));
        assert_eq!((back.sample_names(), back.source_row(1)), (few.sample_names(), 3));
        assert!(back.in_order_of(&data).is_err());
        let error = data.with_sample_names(vec![]).unwrap_err().to_string();
        assert_eq!(error, "expected one name a sample: found 4 samples and 0 names");
    }

    #[test]
    fn bad_input_is_named_by_row_and_column() {
        let points = Points::F64(vec![0.0, 1.0, f64::NAN, 3.0]);
        let error = LabeledDataset::new(points, 2, labels(&[0, 0])).unwrap_err();
        assert_eq!(error.to_string(), "expected finite numbers, found NaN at row 2, column 1");
        let error = LabeledDataset::new(Points::F64(vec![1.0]), 1, labels(&[0, 1])).unwrap_err();
        assert_eq!(error, DatasetError::LabelCount { samples: 1, labels: 2 });
        assert_eq!(LabeledDataset::new(Points::F64(vec![]), 1, vec![]).unwrap_err(), DatasetError::Empty);
    }

    #[test]
    fn a_class_without_mass_is_refused() {
        let data = LabeledDataset::new(Points::F64(vec![0.0, 1.0]), 1, labels(&[0, 1])).unwrap();
        assert!(matches!(
            data.clone().with_sample_weights(vec![1.0, 0.0]),
            Err(DatasetError::ZeroMass { .. })
        ));
        assert!(matches!(
            data.with_class_weights(vec![1.0, -1.0]),
            Err(DatasetError::BadWeight { index: 2, .. })
        ));
    }
}
