//! From a measure back to a labeled dataset.

use crate::dataset::{DatasetError, Label, LabeledDataset, Stored};
use crate::measure::MeasureOverMeasures;

impl<T: Stored> MeasureOverMeasures<T> {
    /// The class of every sample, class after class.
    #[must_use]
    #[inline(never)]
    pub fn class_of(&self) -> Vec<usize> {
        (0..self.class_count()).flat_map(|class| std::iter::repeat_n(class, self.class_size(class))).collect()
    }

    /// The samples as a labeled dataset, class after class; `labels[c]` is the label of class `c`, and classes of one
    /// label become one.
    ///
    /// Weights are set where those of a dataset without any would not be right: where samples or classes of the
    /// measure have other weights than equal ones, and where classes of different sizes became one. Masses are kept
    /// then: of classes without mass in a class with some, all samples have weight 0.
    ///
    /// ```
    /// use wowflow::dataset::Label;
    /// use wowflow::measure::MeasureOverMeasures;
    /// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 5.0_f64], 1, &[2, 1])?;
    /// let data = p.to_dataset(&[Label::from("a"), Label::from("b")])?;
    /// assert_eq!((data.len(), data.class_count()), (3, 2));
    /// assert_eq!(MeasureOverMeasures::from_dataset(&data)?, p);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Points that are not finite.
    ///
    /// # Panics
    /// Another number of labels than of classes.
    #[inline(never)]
    pub fn to_dataset(&self, labels: &[Label]) -> Result<LabeledDataset, DatasetError> {
        let merged = self.merged(labels)?;
        let weighted = (0..self.class_count()).any(|class| self.class_weights(class).is_some());
        let equal = merged.totals.iter().all(|total| *total == merged.totals[0]);
        let data = match weighted || merged.several() {
            true => {
                let share =
                    |class: usize| if merged.members(class) > 1 { merged.mass(self, class) } else { 1.0 };
                let weights = self.weights_of_samples(share);
                merged.data.with_sample_weights(weights)?
            }
            false => merged.data,
        };
        if equal { Ok(data) } else { data.with_class_weights(merged.totals) }
    }

    /// As [`Self::to_dataset`], with weights whether they are needed or not: the mass `w_c a_{c,i}` of every sample,
    /// the mass of every class. In a class without mass, samples have the weights they have in their class of the
    /// measure.
    ///
    /// # Errors
    /// Points that are not finite.
    ///
    /// # Panics
    /// Another number of labels than of classes.
    pub fn to_weighted_dataset(&self, labels: &[Label]) -> Result<LabeledDataset, DatasetError> {
        let merged = self.merged(labels)?;
        let weights = self.weights_of_samples(|class| merged.mass(self, class));
        merged.data.with_sample_weights(weights)?.with_class_weights(merged.totals)
    }

    fn merged(&self, labels: &[Label]) -> Result<Merged, DatasetError> {
        assert_eq!(labels.len(), self.class_count(), "one label a class");
        let of_samples = self.class_of().into_iter().map(|class| labels[class].clone()).collect();
        let data = LabeledDataset::new(T::into_points(self.points().to_vec()), self.dim(), of_samples)?;
        let place = |label: &Label| data.classes().iter().position(|known| known == label);
        let to: Vec<usize> = labels.iter().filter_map(place).collect();
        let mut totals = vec![0.0; data.class_count()];
        to.iter().zip(self.outer_weights()).for_each(|(&to, weight)| totals[to] += weight);
        Ok(Merged { data, to, totals })
    }

    /// `share(c) a_{c,i}` of every sample, class after class.
    fn weights_of_samples(&self, share: impl Fn(usize) -> f64) -> Vec<f64> {
        let of_class = |class: usize| {
            let (size, share) = (self.class_size(class), share(class));
            let uniform = 1.0 / size as f64;
            (0..size).map(move |i| share * self.class_weights(class).map_or(uniform, |a| a[i]))
        };
        (0..self.class_count()).flat_map(of_class).collect()
    }
}

/// The samples of a measure under the labels of its classes, before there are weights.
struct Merged {
    data: LabeledDataset,
    /// Class of the dataset of every class of the measure.
    to: Vec<usize>,
    /// Mass of every class of the dataset.
    totals: Vec<f64>,
}

impl Merged {
    /// How many classes of the measure became one with this.
    fn members(&self, class: usize) -> usize {
        self.to.iter().filter(|to| **to == self.to[class]).count()
    }

    fn several(&self) -> bool {
        self.totals.len() < self.to.len()
    }

    /// The mass of a class of the measure; 1 where its class of the dataset has none, as weights must not all be 0.
    fn mass<T: Stored>(&self, measure: &MeasureOverMeasures<T>, class: usize) -> f64 {
        if self.totals[self.to[class]] > 0.0 { measure.outer_weights()[class] } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_one_label_become_one_and_keep_their_masses() {
        let points = vec![0.0, 1.0, 2.0, 3.0_f64];
        let p = MeasureOverMeasures::new(points, 1, &[2, 1, 1], None, Some(&[0.5, 0.25, 0.25])).unwrap();
        let labels = [Label::from("b"), Label::from("a"), Label::from("b")];
        let data = p.to_dataset(&labels).unwrap();
        assert_eq!(data.classes(), [Label::from("a"), Label::from("b")]);
        let merged = MeasureOverMeasures::<f64>::from_dataset(&data).unwrap();
        let masses: Vec<(f64, f64)> = merged.points().iter().copied().zip(merged.sample_masses()).collect();
        assert_eq!(masses, [(2.0, 0.25), (0.0, 0.25), (1.0, 0.25), (3.0, 0.25)]);
    }

    #[test]
    fn weights_are_masses_where_they_are_asked_for() {
        let points = vec![0.0, 1.0, 2.0, 3.0_f64];
        let p = MeasureOverMeasures::new(points, 1, &[2, 1, 1], None, Some(&[0.5, 0.5, 0.0])).unwrap();
        let labels = [Label::from("a"), Label::from("b"), Label::from("c")];
        let data = p.to_weighted_dataset(&labels).unwrap();
        assert_eq!(data.sample_weights(), Some(&[0.25, 0.25, 0.5, 1.0][..]));
        assert_eq!(data.class_weights(), Some(&[0.5, 0.5, 0.0][..]));
        assert_eq!(MeasureOverMeasures::<f64>::from_dataset(&data).unwrap(), p);
        let merged = p.to_weighted_dataset(&[0, 1, 1].map(Label::Int)).unwrap();
        assert_eq!(merged.sample_weights(), Some(&[0.25, 0.25, 0.5, 0.0][..]));
        assert_eq!(merged.class_weights(), Some(&[0.5, 0.5][..]));
    }

    #[test]
    fn unequal_weights_survive() {
        let p = MeasureOverMeasures::new(
            vec![0.0, 1.0, 2.0_f32],
            1,
            &[2, 1],
            Some(&[0.25, 0.75, 1.0]),
            Some(&[0.3, 0.7]),
        )
        .unwrap();
        let data = p.to_dataset(&[Label::Int(2), Label::Int(1)]).unwrap();
        let back = MeasureOverMeasures::<f32>::from_dataset(&data).unwrap();
        assert_eq!(back.points(), [2.0, 0.0, 1.0]);
        assert_eq!(back.outer_weights(), [0.7, 0.3]);
        assert_eq!(back.class_weights(1), Some(&[0.25, 0.75][..]));
    }
}
