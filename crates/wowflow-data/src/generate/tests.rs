//! Tests of the generators through their public function.

use super::*;

fn all() -> Vec<Generator> {
    [
        ("rings", None),
        ("rings", Some("source")),
        ("gaussians", None),
        ("moons", None),
        ("noise", None),
        ("noise", Some("5x4x3")),
        ("noise", Some("7")),
        ("glyphs", Some("digits")),
        ("glyphs", Some("letters")),
    ]
    .map(|(name, variant)| Generator::parse(name, variant).unwrap().unwrap())
    .to_vec()
}

#[test]
fn a_generator_is_a_pure_function_of_its_arguments() {
    for generator in all() {
        assert_eq!(generate(generator, 7, 3).unwrap(), generate(generator, 7, 3).unwrap());
        let other = generate(generator, 7, 4).unwrap();
        assert_eq!(generate(generator, 7, 3).unwrap() == other, generator == Generator::Rings);
    }
}
