//! Dashed lines.

use crate::canvas::Xy;

/// Pixels of a dash, and of the gap after it.
const DASH: f32 = 7.0;
const GAP: f32 = 5.0;

/// A line cut into dashes of [`DASH`] pixels with gaps of [`GAP`] between them.
pub(crate) fn dashes(line: &[Xy]) -> Vec<Vec<Xy>> {
    let mut dashes: Vec<Vec<Xy>> = Vec::new();
    // Place within the pattern, in pixels.
    let mut at = 0.0;
    for ends in line.windows(2) {
        let ((x, y), (to_x, to_y)) = (ends[0], ends[1]);
        let length = (to_x - x).hypot(to_y - y);
        let place = |gone: f32| (x + (to_x - x) * gone / length, y + (to_y - y) * gone / length);
        let mut gone = 0.0;
        while gone < length {
            let inked = at < DASH;
            let step = (if inked { DASH } else { DASH + GAP } - at).min(length - gone);
            if inked {
                match dashes.last_mut() {
                    Some(dash) if at > 0.0 => dash.push(place(gone + step)),
                    _ => dashes.push(vec![place(gone), place(gone + step)]),
                }
            }
            gone += step;
            at += step;
            if at >= DASH + GAP {
                at = 0.0;
            }
        }
    }
    dashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_on_around_corners() {
        // 10 pixels to the right, then 10 down: dashes at 0 to 7 and 12 to 19.
        let found = dashes(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)]);
        assert_eq!(found, [vec![(0.0, 0.0), (7.0, 0.0)], vec![(10.0, 2.0), (10.0, 9.0)]]);
        // A corner within a dash.
        let found = dashes(&[(0.0, 0.0), (4.0, 0.0), (4.0, 2.0)]);
        assert_eq!(found, [vec![(0.0, 0.0), (4.0, 0.0), (4.0, 2.0)]]);
        assert!(dashes(&[(1.0, 1.0)]).is_empty() && dashes(&[(1.0, 1.0), (1.0, 1.0)]).is_empty());
    }
}
