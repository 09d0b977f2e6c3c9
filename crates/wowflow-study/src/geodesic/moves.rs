//! Where samples start and end on a geodesic, as plain data for those who draw.

use std::collections::BTreeSet;

use wowflow::ot::geometry::{Particle, VelocityPlan};
use wowflow::ot::labels::match_classes;

use super::solution::Solution;
use crate::error::Result;

/// Samples of a pair of classes with where they start and end.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassMoves {
    /// Class of the source.
    pub source: usize,
    /// Class of the target.
    pub target: usize,
    /// The mass of the pair.
    pub mass: f64,
    /// The samples looked at.
    pub moves: Vec<Move>,
}

/// Where a sample starts and ends, in single precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// Its place at time 0.
    pub from: Vec<f32>,
    /// Its place at time 1.
    pub to: Vec<f32>,
}

impl Move {
    /// Its place at a time.
    ///
    /// ```
    /// use wowflow_study::geodesic::Move;
    /// let step = Move { from: vec![0.0, 1.0], to: vec![4.0, 1.0] };
    /// assert_eq!(step.at(0.25), [1.0, 1.0]);
    /// ```
    #[must_use]
    pub fn at(&self, t: f64) -> Vec<f32> {
        let along = |(x, y): (&f32, &f32)| {
            let (x, y) = (f64::from(*x), f64::from(*y));
            // Either end is met to the bit.
            if t < 0.5 { (x + t * (y - x)) as f32 } else { (y - (1.0 - t) * (y - x)) as f32 }
        };
        self.from.iter().zip(&self.to).map(along).collect()
    }
}

/// Which ways of a sample that splits are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// All of them.
    All,
    /// The heaviest to each class.
    Heaviest,
}

impl Solution {
    /// At most so many samples of every pair of classes, the heaviest first, with where they start and end.
    ///
    /// On a curve without splits: the first samples of every class of the source, in its pair with the class it is
    /// matched to.
    ///
    /// # Errors
    /// Samples that end at coordinates that are not finite.
    pub fn moves(&self, most: usize, ways: Ways) -> Result<Vec<ClassMoves>> {
        let plan = self.curve.plan()?;
        if self.config.barycentric {
            self.moves_without_splits(&plan, most)
        } else {
            Ok(split(&plan, most, ways))
        }
    }

    fn moves_without_splits(&self, plan: &VelocityPlan<'_, f64>, most: usize) -> Result<Vec<ClassMoves>> {
        let p = plan.source();
        let end = plan.barycentric(1.0)?;
        let matched = match_classes(self.transport()).target;
        let rows = |values: &[f64]| values.chunks(p.dim()).take(most).map(single).collect::<Vec<_>>();
        let of_class = |(source, target): (usize, usize)| {
            let ways = rows(p.class_points(source)).into_iter().zip(rows(end.class_points(source)));
            let moves = ways.map(|(from, to)| Move { from, to }).collect();
            ClassMoves { source, target, mass: p.outer_weights()[source], moves }
        };
        Ok(matched.into_iter().enumerate().map(of_class).collect())
    }
}

fn split(plan: &VelocityPlan<'_, f64>, most: usize, ways: Ways) -> Vec<ClassMoves> {
    let mut of_pairs: Vec<Vec<Particle<'_, f64>>> = plan.pairs().iter().map(|_| Vec::new()).collect();
    plan.particles().for_each(|particle| of_pairs[particle.pair].push(particle));
    let mut moves = Vec::with_capacity(of_pairs.len());
    for (pair, mut particles) in plan.pairs().iter().zip(of_pairs) {
        particles.sort_by(|a, b| b.mass.total_cmp(&a.mass));
        if ways == Ways::Heaviest {
            let mut seen = BTreeSet::new();
            particles.retain(|particle| seen.insert(particle.source));
        }
        particles.truncate(most);
        let ends = particles.iter().map(|way| Move { from: single(way.position), to: single(way.end) });
        let moves_of_pair = ends.collect();
        moves.push(ClassMoves {
            source: pair.source,
            target: pair.target,
            mass: pair.mass,
            moves: moves_of_pair,
        });
    }
    moves
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}
