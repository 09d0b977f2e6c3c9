//! Which precision holds datasets: single where nothing visible is lost, double otherwise.

use wowflow::auto::Auto;
use wowflow::dataset::{LabeledDataset, Precision};

use crate::error::DataError;
use crate::loss::{SingleLoss, within};
use crate::prepared::Prepared;

/// Rounding to single precision may cost this share of a coordinate's range.
const VISIBLE: f64 = 1e-4;
/// Data farther from 0 than this many times their widest range are moved in double precision, unless single is asked
/// for: samples of a flow that are rounded there exchange their ends.
const FAR: f64 = 16.0;
/// Half the distance from 1 to the next single-precision number.
const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;
/// Squares and their sums stay in range of single precision for data of this size.
const SIZES: (f64, f64) = (1e-12, 1e12);

/// What single precision would lose of datasets of one dimension; `None` where nothing of it would be seen.
///
/// It is seen where the largest value, rounded, changes by more than `1e-4` of the range of a coordinate in one of the
/// datasets: projections add up all coordinates. Pixels share one unit, and so one range. Coordinates that do not vary
/// in a dataset do not count there.
pub fn single_loss<'a>(datasets: impl IntoIterator<Item = &'a Prepared>) -> Option<SingleLoss> {
    let datasets: Vec<(&Prepared, Vec<(f64, f64)>)> =
        datasets.into_iter().map(|data| (data, ranges(&data.dataset))).collect();
    let ends = || datasets.iter().flat_map(|(_, ranges)| ranges);
    let largest = ends().map(|(low, high)| low.abs().max(high.abs())).fold(0.0, f64::max);
    if !within(largest, SIZES) {
        return Some(SingleLoss::Size { largest });
    }
    // Less is rounding in double precision, too: such a coordinate does not vary.
    let varies = |range: f64| range > 16.0 * f64::EPSILON * largest;
    let visible = |range: f64| varies(range) && largest * ROUNDING > VISIBLE * range;
    let mut narrowest: Option<(f64, &Prepared, Option<usize>)> = None;
    let mut consider = |range: f64, data, column| {
        if varies(range) && narrowest.is_none_or(|(least, ..)| range < least) {
            narrowest = Some((range, data, column));
        }
    };
    for (data, ranges) in &datasets {
        if data.dataset.image_shape().is_some() {
            consider(range_of(&joined(ranges)), data, None);
        } else {
            ranges.iter().enumerate().for_each(|(at, range)| consider(range_of(range), data, Some(at + 1)));
        }
    }
    // Coordinates may vary between datasets alone.
    if let Some((first, _)) = datasets.first() {
        for at in 0..first.dataset.dim() {
            let of: Vec<(f64, f64)> =
                datasets.iter().filter_map(|(_, ranges)| ranges.get(at)).copied().collect();
            if first.dataset.image_shape().is_none() {
                consider(range_of(&joined(&of)), first, Some(at + 1));
            }
        }
    }
    let (range, data, column) = narrowest.filter(|(range, ..)| visible(*range))?;
    Some(SingleLoss::Digits { name: data.name.clone(), column, range, largest })
}

/// Smallest and largest value of every coordinate.
fn ranges(data: &LabeledDataset) -> Vec<(f64, f64)> {
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); data.dim()];
    for row in 0..data.len() {
        for ((low, high), x) in ranges.iter_mut().zip(data.row(row)) {
            (*low, *high) = (low.min(x), high.max(x));
        }
    }
    ranges
}

fn joined(ranges: &[(f64, f64)]) -> (f64, f64) {
    let wider = |(low, high): (f64, f64), other: &(f64, f64)| (low.min(other.0), high.max(other.1));
    ranges.iter().fold((f64::INFINITY, f64::NEG_INFINITY), wider)
}

fn range_of((low, high): &(f64, f64)) -> f64 {
    high - low
}

/// The precision to work in: what is asked for; left open the usual one, or double precision where single would lose
/// something, which is told beside. `lost` says which losses matter.
///
/// # Errors
/// Single precision asked for where something is lost.
pub fn choose_precision(
    asked: Auto<Precision>,
    usual: Precision,
    datasets: &[&Prepared],
    lost: impl Fn(&SingleLoss) -> bool,
) -> Result<(Precision, Option<SingleLoss>), DataError> {
    let chosen = asked.or(usual);
    if chosen == Precision::F64 {
        return Ok((chosen, None));
    }
    let loss = single_loss(datasets.iter().copied());
    if asked.is_auto() {
        let loss = loss.or_else(|| offset(datasets));
        return Ok((if loss.is_some() { Precision::F64 } else { chosen }, loss));
    }
    match loss {
        Some(loss) if lost(&loss) => Err(DataError::Precision { loss }),
        _ => Ok((chosen, None)),
    }
}

/// Data that are far from 0 in all coordinates together.
fn offset(datasets: &[&Prepared]) -> Option<SingleLoss> {
    let all: Vec<Vec<(f64, f64)>> = datasets.iter().map(|data| ranges(&data.dataset)).collect();
    let largest = all.iter().flatten().map(|(low, high)| low.abs().max(high.abs())).fold(0.0, f64::max);
    let columns = (0..all.first()?.len())
        .map(|at| joined(&all.iter().filter_map(|ranges| ranges.get(at)).copied().collect::<Vec<_>>()));
    let range = columns.map(|column| range_of(&column)).fold(0.0, f64::max);
    let (name, column) = (datasets.first()?.name.clone(), None);
    (range > 0.0 && largest > FAR * range).then_some(SingleLoss::Digits { name, column, range, largest })
}

#[cfg(test)]
mod tests {
    use wowflow::dataset::{ImageShape, Label, Points};

    use super::*;

    fn data(points: &[f64], dim: usize) -> Prepared {
        let labels = vec![Label::Int(0); points.len() / dim];
        Prepared::in_memory("d", LabeledDataset::new(Points::F64(points.to_vec()), dim, labels).unwrap())
    }

    #[test]
    fn single_precision_is_for_what_it_holds() {
        let any = |_: &SingleLoss| true;
        let found = |points: &[f64]| {
            choose_precision(Auto::Auto, Precision::F32, &[&data(points, 2)], any).unwrap().0
        };
        for points in [
            &[0.0, 1.0, 1.0, 0.0][..],
            &[10.0, 1.0, 11.0, 0.0],
            &[1e8, 3e6, -1e8, 1e6],
            &[0.0; 4],
            &[7.0, 1.0, 7.0, 2.0],
        ] {
            assert_eq!(found(points), Precision::F32, "{points:?}");
        }
        // An offset that single precision holds is moved in double unless single is asked for.
        let far = data(&[1000.0, 1.0, 1001.0, 0.0], 2);
        let chosen = |asked| choose_precision(asked, Precision::F32, &[&far], any).unwrap().0;
        assert_eq!(chosen(Auto::Auto), Precision::F64);
        assert_eq!(chosen(Precision::F32.into()), Precision::F32);
        for points in [
            &[1e8, 1.0, 1e8 + 3.0, 0.0][..],
            &[1e8, 1.0, 1e8, 0.0],
            &[1.7e9, 1.0, 1.8e9, 0.0],
            &[1e-30, 0.0, 0.0, 1e-30],
            &[1e30, 0.0, 0.0, 1e30],
        ] {
            assert_eq!(found(points), Precision::F64, "{points:?}");
            let loss = choose_precision(Precision::F32.into(), Precision::F64, &[&data(points, 2)], any);
            let text = loss.unwrap_err().to_string();
            assert!(
                text.starts_with("expected data that single precision holds, found values up to"),
                "{text}"
            );
        }
        // Two points that differ between datasets alone.
        let (one, other) = (data(&[1e8], 1), data(&[1e8 + 1.0], 1));
        assert!(matches!(single_loss([&one, &other]), Some(SingleLoss::Digits { .. })));
        // Pixels share a unit.
        let mut image = data(&[0.0, 255.0, 1e-3, 0.0], 2);
        assert!(single_loss([&image]).is_some());
        let shape = ImageShape { width: 2, height: 1, channels: 1 };
        image.dataset = image.dataset.with_image_shape(shape).unwrap();
        assert_eq!(single_loss([&image]), None);
    }
}
