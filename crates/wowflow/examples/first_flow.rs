//! Two datasets of points in the plane, two classes each: one flows into the other.

use wowflow::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = MeasureOverMeasures::uniform(vec![0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 2.0, 1.0_f64], 2, &[2, 2])?;
    let target = MeasureOverMeasures::uniform(vec![5.0, 3.0, 5.0, 4.0, 9.0, 3.0, 9.0, 4.0_f64], 2, &[2, 2])?;
    let flowed = flow::to(&source, &target, &Settings::default())?;
    println!("{} {:.3} -> {:.1e}", flowed.quantity.symbol, flowed.value_initial, flowed.value_final);
    println!("classes 0 and 1 became {:?}: {:.3?}", flowed.classes.target, flowed.particles.points());
    assert!(flowed.value_final < 1e-3 * flowed.value_initial);
    Ok(())
}
