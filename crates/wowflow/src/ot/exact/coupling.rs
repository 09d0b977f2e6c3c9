//! A coupling of two discrete measures, stored by its atoms.

use super::CostMatrix;

/// One atom of a coupling: `mass` goes from left point `row` to right point `col`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Atom {
    /// Left point.
    pub row: usize,
    /// Right point.
    pub col: usize,
    /// Mass moved, positive; the masses of a coupling sum to 1.
    pub mass: f64,
}

/// A sparse coupling: atoms sorted by (row, col), at most `n + m - 1` from the exact solvers.
#[derive(Clone, Debug, PartialEq)]
pub struct Coupling {
    rows: usize,
    cols: usize,
    atoms: Vec<Atom>,
}

impl Coupling {
    /// Sorts the atoms; the solvers guarantee positive masses at distinct places inside the shape.
    pub(super) fn new(rows: usize, cols: usize, mut atoms: Vec<Atom>) -> Self {
        atoms.sort_unstable_by_key(|atom| (atom.row, atom.col));
        Self { rows, cols, atoms }
    }

    /// Number of left points, `n`.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of right points, `m`.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The atoms, sorted by (row, col).
    #[must_use]
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// Mass leaving every left point.
    #[must_use]
    pub fn row_masses(&self) -> Vec<f64> {
        let mut masses = vec![0.0; self.rows];
        for atom in &self.atoms {
            masses[atom.row] += atom.mass;
        }
        masses
    }

    /// Mass reaching every right point.
    #[must_use]
    pub fn col_masses(&self) -> Vec<f64> {
        let mut masses = vec![0.0; self.cols];
        for atom in &self.atoms {
            masses[atom.col] += atom.mass;
        }
        masses
    }

    /// The sum of mass times cost.
    ///
    /// # Panics
    /// The cost matrix has another shape.
    #[must_use]
    pub fn cost(&self, cost: &CostMatrix) -> f64 {
        assert_eq!((self.rows, self.cols), (cost.rows(), cost.cols()), "shapes of a coupling and its costs");
        self.atoms.iter().map(|atom| atom.mass * cost.get(atom.row, atom.col)).sum()
    }

    /// The coupling as an `n x m` row-major matrix.
    #[must_use]
    pub fn to_dense(&self) -> Vec<f64> {
        let mut dense = vec![0.0; self.rows * self.cols];
        for atom in &self.atoms {
            dense[atom.row * self.cols + atom.col] = atom.mass;
        }
        dense
    }

    /// The same coupling read from right to left.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let swap = |atom: &Atom| Atom { row: atom.col, col: atom.row, mass: atom.mass };
        Self::new(self.cols, self.rows, self.atoms.iter().map(swap).collect())
    }
}
