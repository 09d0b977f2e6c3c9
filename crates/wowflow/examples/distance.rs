//! How far apart two labeled datasets are, by an exact distance and by a sliced one with its interval.

use wowflow::compare::{Certainty, SlicedOtdd, Slices};
use wowflow::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let labels = |names: [&str; 4]| names.map(Label::from).to_vec();
    let cats_and_dogs = LabeledDataset::new(
        Points::F64(vec![0.0, 0.1, 0.2, 0.0, 3.0, 3.1, 3.2, 2.9]),
        2,
        labels(["cat", "cat", "dog", "dog"]),
    )?;
    let foxes_and_owls = LabeledDataset::new(
        Points::F64(vec![0.5, 0.1, 0.4, 0.3, 4.0, 3.5, 4.1, 3.6]),
        2,
        labels(["fox", "fox", "owl", "owl"]),
    )?;
    let p = MeasureOverMeasures::<f64>::from_dataset(&cats_and_dogs)?;
    let q = MeasureOverMeasures::<f64>::from_dataset(&foxes_and_owls)?;

    let exact = compare(&p, &q, &Method::Wow(Inner::Exact), 0)?;
    println!("W_W2 = {:.4}", exact.value);
    let coupling = exact.coupling.ok_or("expected classes to be coupled")?;
    for atom in coupling.atoms() {
        let (from, to) = (&cats_and_dogs.classes()[atom.row], &foxes_and_owls.classes()[atom.col]);
        println!("  {from} -> {to}, {:.0} % of the mass", 100.0 * atom.mass);
    }
    let method = Method::SlicedOtdd(SlicedOtdd::new(Slices::standard(2, 500)?, SlicedOtdd::MOMENTS, 2.0)?);
    if let Certainty::Sliced { value, .. } = compare(&p, &q, &method, 0)?.certainty {
        let (low, high) = value.interval(0.95);
        println!("s-OTDD = {:.4}, 95 % interval {low:.4} to {high:.4}", value.value);
    }
    Ok(())
}
