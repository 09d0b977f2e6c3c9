//! Places for the names of points, so that names cover neither each other nor the points.

use crate::canvas::Xy;

/// A rectangle: left, top, width, height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rectangle {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Rectangle {
    /// Area shared with another.
    pub(crate) fn overlap(&self, other: &Self) -> f32 {
        let shared =
            |a: f32, a_len: f32, b: f32, b_len: f32| ((a + a_len).min(b + b_len) - a.max(b)).max(0.0);
        shared(self.left, self.width, other.left, other.width)
            * shared(self.top, self.height, other.top, other.height)
    }

    fn contains(&self, other: &Self) -> bool {
        other.left >= self.left
            && other.top >= self.top
            && other.left + other.width <= self.left + self.width
            && other.top + other.height <= self.top + self.height
    }
}

/// Distances from a point at which its name is tried; beyond the first a line joins them.
const DISTANCES: [f32; 6] = [5.0, 13.0, 24.0, 38.0, 56.0, 80.0];
/// Right first, as people read; then above and below, then the corners.
const DIRECTIONS: [(f32, f32); 8] =
    [(1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, -1.0), (-1.0, 1.0)];
const SWEEPS: usize = 4;

/// Where a name goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) area: Rectangle,
    /// Whether it stands so far from its point that a line should join them.
    pub(crate) apart: bool,
}

/// A place for the name of every point within `sheet`, `None` where all places would cover another
/// name.
///
/// Names choose in turn, those with most points around them first, the place that covers least;
/// then all choose again a few times, knowing the others. The same input gives the same places.
pub(crate) fn place(
    points: &[Xy],
    sizes: &[(f32, f32)],
    radius: f32,
    sheet: Rectangle,
) -> Vec<Option<Place>> {
    let disc = |&(x, y): &Xy| Rectangle {
        left: x - radius,
        top: y - radius,
        width: 2.0 * radius,
        height: 2.0 * radius,
    };
    let discs: Vec<Rectangle> = points.iter().map(disc).collect();
    let near = |i: usize| {
        let (x, y) = points[i];
        points.iter().filter(|p| (p.0 - x).abs() < 80.0 && (p.1 - y).abs() < 30.0).count()
    };
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(near(i)));
    let mut places: Vec<Option<Place>> = vec![None; points.len()];
    for _ in 0..SWEEPS {
        for &i in &order {
            places[i] = None;
            let choice = candidates(points[i], sizes[i], radius)
                .enumerate()
                .filter(|(_, at)| sheet.contains(&at.area));
            let cost = |(rank, at): &(usize, Place)| {
                let names: f32 = places.iter().flatten().map(|other| at.area.overlap(&other.area)).sum();
                let covered: f32 = discs.iter().map(|disc| at.area.overlap(disc)).sum();
                8.0 * names + 3.0 * covered + *rank as f32
            };
            let best = choice.map(|at| (cost(&at), at.1)).min_by(|a, b| a.0.total_cmp(&b.0));
            places[i] = best.map(|(_, at)| at);
        }
    }
    // What still covers another name is left out, in the order in which names chose last to first.
    for &i in order.iter().rev() {
        let Some(at) = places[i] else { continue };
        let covers = places.iter().enumerate().filter(|&(j, _)| j != i).filter_map(|(_, other)| *other);
        if covers.into_iter().any(|other| at.area.overlap(&other.area) > 0.5) {
            places[i] = None;
        }
    }
    places
}

fn candidates((x, y): Xy, (width, height): (f32, f32), radius: f32) -> impl Iterator<Item = Place> {
    let all = DISTANCES.into_iter().enumerate().flat_map(|(ring, distance)| {
        DIRECTIONS.into_iter().map(move |direction| (ring, distance, direction))
    });
    all.map(move |(ring, distance, (right, down))| {
        let reach = radius + distance;
        // On a diagonal the corner of the name is as far from the point as its edge is elsewhere.
        let reach = if right != 0.0 && down != 0.0 { 0.7 * reach } else { reach };
        let left = x + right * reach - width * 0.5 * (1.0 - right);
        let top = y + down * reach - height * 0.5 * (1.0 - down);
        Place { area: Rectangle { left, top, width, height }, apart: ring > 1 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: Rectangle = Rectangle { left: 0.0, top: 0.0, width: 600.0, height: 400.0 };

    fn apart(places: &[Option<Place>]) -> bool {
        let all: Vec<Rectangle> = places.iter().flatten().map(|place| place.area).collect();
        (0..all.len()).all(|i| (0..i).all(|j| all[i].overlap(&all[j]) <= 0.5))
    }

    #[test]
    fn a_lonely_name_stands_at_the_right_and_turns_at_the_edge() {
        let places = place(&[(300.0, 200.0), (595.0, 100.0)], &[(70.0, 16.0); 2], 4.0, SHEET);
        assert_eq!(places[0].unwrap().area, Rectangle { left: 309.0, top: 192.0, width: 70.0, height: 16.0 });
        assert!(places[1].unwrap().area.left < 525.0 && !places[1].unwrap().apart);
    }

    #[test]
    fn names_of_near_points_do_not_overlap() {
        let points: Vec<Xy> =
            (0..12).map(|i| (290.0 + (i % 4) as f32 * 6.0, 190.0 + (i / 4) as f32 * 6.0)).collect();
        let places = place(&points, &[(90.0, 16.0); 12], 4.0, SHEET);
        assert!(apart(&places) && places.iter().flatten().count() >= 10, "{places:?}");
        // A crowd beyond all hope loses names rather than readability.
        let crowd = place(&[(300.0, 200.0); 300], &[(90.0, 16.0); 300], 4.0, SHEET);
        assert!(apart(&crowd) && crowd.iter().flatten().count() >= 8);
    }
}
