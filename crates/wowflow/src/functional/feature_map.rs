//! Differentiable maps of samples into a space of features.

/// A map of samples into features, one of which is drawn for every step; both sides of the step share it.
///
/// A sample's features depend on that sample alone.
pub trait FeatureMap<T> {
    /// Coordinates of the features of a sample of `dim` coordinates.
    fn feature_dim(&self, dim: usize) -> usize;

    /// Takes the map of a draw: the same draw, the same map.
    fn draw(&mut self, draw: u64);

    /// Features (`N x k`, row-major) of samples (`N x dim`).
    fn forward(&mut self, points: &[T], dim: usize) -> Vec<T>;

    /// The transposed derivative at the points of the last [`Self::forward`]: from a cotangent of every feature
    /// (`N x k`) to one of every coordinate (`N x dim`).
    fn backward(&mut self, cotangents: &[T]) -> Vec<T>;
}

/// Samples are their own features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity;

impl<T: Copy> FeatureMap<T> for Identity {
    fn feature_dim(&self, dim: usize) -> usize {
        dim
    }

    fn draw(&mut self, _draw: u64) {}

    fn forward(&mut self, points: &[T], _dim: usize) -> Vec<T> {
        points.to_vec()
    }

    fn backward(&mut self, cotangents: &[T]) -> Vec<T> {
        cotangents.to_vec()
    }
}

/// One map after another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain<A, B>(
    /// The map of samples.
    pub A,
    /// The map of their features.
    pub B,
);

impl<T, A: FeatureMap<T>, B: FeatureMap<T>> FeatureMap<T> for Chain<A, B> {
    fn feature_dim(&self, dim: usize) -> usize {
        self.1.feature_dim(self.0.feature_dim(dim))
    }

    fn draw(&mut self, draw: u64) {
        self.0.draw(draw);
        self.1.draw(draw);
    }

    fn forward(&mut self, points: &[T], dim: usize) -> Vec<T> {
        let between = self.0.forward(points, dim);
        self.1.forward(&between, self.0.feature_dim(dim))
    }

    fn backward(&mut self, cotangents: &[T]) -> Vec<T> {
        let between = self.1.backward(cotangents);
        self.0.backward(&between)
    }
}

impl<T, M: FeatureMap<T> + ?Sized> FeatureMap<T> for Box<M> {
    fn feature_dim(&self, dim: usize) -> usize {
        (**self).feature_dim(dim)
    }

    fn draw(&mut self, draw: u64) {
        (**self).draw(draw);
    }

    fn forward(&mut self, points: &[T], dim: usize) -> Vec<T> {
        (**self).forward(points, dim)
    }

    fn backward(&mut self, cotangents: &[T]) -> Vec<T> {
        (**self).backward(cotangents)
    }
}
