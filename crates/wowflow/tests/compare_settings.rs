//! Distances by name: what is left open, what is refused, what is stored.

use wowflow::auto::Auto;
use wowflow::compare::{
    CompareError, Growth, Inner, Method, MethodName, MethodSettings, OtddMethod, ProcessName, Slices, compare,
};
use wowflow::directions::Slicing;
use wowflow::kernel::{KernelName, KernelSettings};
use wowflow::measure::MeasureOverMeasures;
use wowflow::name::Named;

type Measure = MeasureOverMeasures<f64>;

fn pair() -> (Measure, Measure) {
    let p = Measure::uniform(vec![0.0, 0.0, 1.0, 0.0, 0.5, 2.0], 2, &[2, 1]).unwrap();
    let q = Measure::uniform(vec![3.0, 1.0, 4.0, 1.0, 3.5, 3.0, 5.0, 5.0], 2, &[2, 2]).unwrap();
    (p, q)
}

fn usual(name: MethodName) -> Method {
    MethodSettings::of(name).resolve(100).unwrap()
}

#[test]
fn exact_transport_keeps_a_gibibyte_of_costs_at_most() {
    for name in [MethodName::Otdd, MethodName::OtddGaussian, MethodName::OtddSliced, MethodName::W2] {
        let method = usual(name);
        assert_eq!((method.memory(300, 400), method.memory(60_000, 40_000)), (120_000, 1 << 27), "{name}");
    }
    let entropic = MethodSettings { regularisation: Some(0.1), ..MethodSettings::of(MethodName::Otdd) };
    assert_eq!(entropic.resolve(2).unwrap().memory(300, 400), 0);
    assert_eq!(usual(MethodName::Hipm).memory(300, 400), 2 * 700 * 700);
}

#[test]
fn every_method_has_a_name_and_what_it_says_of_itself_holds() {
    let (p, q) = pair();
    for &name in MethodName::ALL {
        let method = MethodSettings::of(name).resolve(2).unwrap();
        assert_eq!(method.name(), name);
        let found = compare(&p, &q, &method, 1).unwrap();
        assert_eq!((found.method, found.order), (method.clone(), method.order()), "{name}");
        assert_eq!(found.classes.is_some(), method.class_cost().is_some(), "{name}");
        assert_eq!(found.classes.is_some() || found.coupling.is_some(), method.has_classes(), "{name}");
        assert_eq!(MethodSettings::from(method.clone()).directions.is_auto(), !name.is_sliced(), "{name}");
        assert_eq!(method.memory(3, 4) > 0, name.serial(), "{name}");
        assert!(!name.serial() || name.growth() == Growth::Quadratic, "{name}");
        // Masses of classes are theirs, for whatever is coupled.
        if let Some(masses) = compare(&p, &q, &method, 1).unwrap().class_masses(&p, &q) {
            let pooled = p.pooled_masses();
            for (c, weight) in p.outer_weights().iter().enumerate() {
                let weight = match name {
                    MethodName::W2 => pooled[p.class_range(c)].iter().sum(),
                    _ => *weight,
                };
                let mass: f64 = masses[c * 2..c * 2 + 2].iter().sum();
                assert!((mass - weight).abs() < 1e-12, "{name}: {masses:?}");
            }
        }
    }
    assert_eq!(usual(MethodName::Sw).symbol(), "SW_2");
    let laplace = MethodSettings {
        kernel: Some(KernelSettings::of(KernelName::Laplace)),
        ..MethodSettings::of(MethodName::MmdSw)
    };
    assert_eq!(laplace.resolve(2).unwrap().class_cost(), Some("SW_1"));
    // Entropic transport holds no matrix of costs.
    let entropic = Method::Otdd(OtddMethod::new(Inner::Exact, Some(0.1)).unwrap());
    assert_eq!(entropic.memory(1000, 1000), 0);
    assert_eq!(usual(MethodName::Hipm).memory(usize::MAX, 2), usize::MAX);
}

#[test]
fn what_is_left_open_follows_from_the_dimension() {
    let slices = |dim| match MethodSettings::of(MethodName::WowSliced).resolve(dim).unwrap() {
        Method::Wow(Inner::Sliced(slices)) => (slices.slicing(), slices.count()),
        other => panic!("{other:?}"),
    };
    assert_eq!(slices(2), (Slicing::Orthonormal, Slices::COUNT));
    assert_eq!((slices(63).0, slices(64).0), (Slicing::Orthonormal, Slicing::Hadamard));
    assert_eq!(MethodSettings::default().resolve(3).unwrap(), Method::Wow(Inner::Exact));
    let gaussian = MethodSettings {
        kernel: Some(KernelSettings::of(KernelName::Gaussian)),
        ..MethodSettings::of(MethodName::MmdSw)
    };
    assert!(gaussian.resolve(3).unwrap().measures_bandwidth());
    assert!(!usual(MethodName::MmdSw).measures_bandwidth());
}

#[test]
fn options_of_other_methods_are_refused() {
    let of = MethodSettings::of;
    let kernel = |kernel| MethodSettings { kernel: Some(kernel), ..of(MethodName::Otdd) };
    for (settings, words) in [
        (
            MethodSettings { directions: 5.into(), ..of(MethodName::Wow) },
            "expected directions with the method wow-sliced, otdd-sliced, mmd-sw, s-otdd, busemann, busemann-gaussian, dsw, sw or hipm only, found it with wow",
        ),
        (MethodSettings { slicing: Slicing::Gaussian.into(), ..of(MethodName::W2) }, "expected slicing with"),
        (
            MethodSettings { order: 3.0.into(), ..of(MethodName::Wow) },
            "expected order with the method s-otdd, busemann, busemann-gaussian or sw only",
        ),
        (
            MethodSettings { moments: 3.into(), ..of(MethodName::Sw) },
            "expected moments with the method s-otdd only",
        ),
        (
            MethodSettings { functions: 3.into(), ..of(MethodName::Sw) },
            "expected functions with the method dsw only",
        ),
        (
            MethodSettings { length: 0.3.into(), ..of(MethodName::Hipm) },
            "expected length with the method dsw only",
        ),
        (
            MethodSettings { process: ProcessName::Brownian.into(), ..of(MethodName::Sw) },
            "expected process with the method dsw only",
        ),
        (
            MethodSettings { regularisation: Some(1.0), ..of(MethodName::W2) },
            "expected regularisation with the method otdd, otdd-gaussian or otdd-sliced only, found it with w2",
        ),
        (
            kernel(KernelSettings::default()),
            "expected kernel with the method mmd-sw only, found it with otdd",
        ),
        (kernel(KernelSettings::of(KernelName::Laplace)), "expected kernel with the method mmd-sw only"),
        (
            kernel(KernelSettings { smoothing: 0.1.into(), ..KernelSettings::default() }),
            "expected smoothing with the method mmd-sw only",
        ),
        (
            MethodSettings { regularisation: Some(-1.0), ..of(MethodName::Otdd) },
            "expected regularisation positive and finite, found -1",
        ),
        (
            MethodSettings {
                process: ProcessName::Brownian.into(),
                length: 0.3.into(),
                ..of(MethodName::Dsw)
            },
            "expected no length with the process brownian, found 0.3",
        ),
        (MethodSettings { order: 0.5.into(), ..of(MethodName::Sw) }, "expected p at least 1 and finite"),
        (MethodSettings { directions: 0.into(), ..of(MethodName::Sw) }, "expected slices at least 1"),
        (
            MethodSettings {
                kernel: Some(KernelSettings { bandwidth: Auto::Given(1.0), ..KernelSettings::default() }),
                ..of(MethodName::MmdSw)
            },
            "expected bandwidth with the gaussian, laplace and imq kernels only, found it with the riesz kernel",
        ),
    ] {
        let text = settings.resolve(3).unwrap_err().to_string();
        assert!(text.starts_with(words), "{text}");
    }
    let error = MethodSettings { moments: 3.into(), ..of(MethodName::W2) }.resolve(3).unwrap_err();
    let (methods, found) = (vec![MethodName::SOtdd], MethodName::W2);
    let methods = methods.iter().map(|method| method.name()).collect();
    assert_eq!(error, CompareError::Foreign { option: "moments", methods, found: found.name() });
}

#[test]
fn settings_of_a_method_give_it_again() {
    let slices = Slices::new(Slicing::Gaussian, 7).unwrap();
    let brownian =
        MethodSettings { process: ProcessName::Brownian.into(), ..MethodSettings::of(MethodName::Dsw) };
    let mut methods: Vec<Method> = MethodName::ALL.iter().map(|name| usual(*name)).collect();
    methods.push(brownian.resolve(3).unwrap());
    methods.push(Method::Otdd(OtddMethod::new(Inner::Sliced(slices), Some(0.5)).unwrap()));
    for method in methods {
        assert_eq!(Method::try_from(MethodSettings::from(method.clone())), Ok(method));
    }
    let error = Method::try_from(MethodSettings::of(MethodName::SOtdd)).unwrap_err();
    assert_eq!(error.to_string(), "expected directions with the method s-otdd, found none");
}

#[cfg(feature = "serde")]
mod stored {
    use super::*;
    use wowflow::compare::{Certainty, CertaintyRecord};
    use wowflow::stats::estimate::Estimate;

    #[test]
    fn methods_are_stored_as_tables_of_what_they_have() {
        let sliced = r#""directions":500,"slicing":"hadamard""#;
        for (name, more) in [
            ("wow", String::new()),
            ("wow-sliced", format!(",{sliced}")),
            ("wow-gaussian", String::new()),
            ("otdd", String::new()),
            ("otdd-gaussian", String::new()),
            ("otdd-sliced", format!(",{sliced}")),
            ("mmd-sw", format!(r#",{sliced},"kernel":{{"name":"riesz","exponent":1.0,"smoothing":0.0}}"#)),
            ("s-otdd", format!(r#",{sliced},"order":2.0,"moments":5"#)),
            ("busemann", format!(r#",{sliced},"order":2.0"#)),
            ("busemann-gaussian", format!(r#",{sliced},"order":2.0"#)),
            ("dsw", format!(r#",{sliced},"functions":8,"length":0.1"#)),
            ("sw", format!(r#",{sliced},"order":2.0"#)),
            ("w2", String::new()),
            ("hipm", format!(",{sliced}")),
        ] {
            let method = usual(name.parse().unwrap());
            let text = serde_json::to_string(&method).unwrap();
            assert_eq!(text, format!(r#"{{"name":"{name}"{more}}}"#));
            assert_eq!(serde_json::from_str::<Method>(&text).unwrap(), method);
        }
        assert_eq!(MethodName::ALL.len(), 14);
        for (text, settings) in [
            (
                r#"{"name":"otdd","regularisation":0.5}"#,
                MethodSettings { regularisation: Some(0.5), ..MethodSettings::of(MethodName::Otdd) },
            ),
            (
                r#"{"name":"mmd-sw","directions":3,"slicing":"orthonormal","kernel":{"name":"imq","bandwidth":"auto"}}"#,
                MethodSettings {
                    directions: 3.into(),
                    kernel: Some(KernelSettings::of(KernelName::InverseMultiquadric)),
                    ..MethodSettings::of(MethodName::MmdSw)
                },
            ),
            (
                r#"{"name":"mmd-sw","directions":3,"slicing":"orthonormal","kernel":{"name":"laplace","bandwidth":0.1}}"#,
                MethodSettings {
                    directions: 3.into(),
                    kernel: Some(KernelSettings::of(KernelName::Laplace).with_bandwidth(0.1)),
                    ..MethodSettings::of(MethodName::MmdSw)
                },
            ),
        ] {
            let method = settings.resolve(2).unwrap();
            assert_eq!(serde_json::to_string(&method).unwrap(), text);
            assert_eq!(serde_json::from_str::<Method>(text).unwrap(), method);
        }
    }

    #[test]
    fn stored_methods_are_checked() {
        for (text, words) in [
            (r#"{"name":"cosine"}"#, "as distance between datasets, found `cosine`"),
            (r#"{"name":"wow","moments":3}"#, "expected moments with the method s-otdd only"),
            (r#"{"name":"wow","momemts":3}"#, "unknown field `momemts`"),
            (
                r#"{"name":"sw","directions":5,"slicing":"gaussian"}"#,
                "expected order with the method sw, found none",
            ),
            (r#"{"name":"sw","directions":5,"slicing":"gaussian","order":0.5}"#, "expected p at least 1"),
            (r#"{"name":"sw","directions":0,"slicing":"gaussian","order":2}"#, "expected slices at least 1"),
            (r#"{"name":"otdd","regularisation":-1}"#, "expected regularisation positive"),
            (
                r#"{"name":"mmd-sw","directions":3,"slicing":"gaussian"}"#,
                "expected kernel with the method mmd-sw, found none",
            ),
            (
                r#"{"name":"mmd-sw","directions":3,"slicing":"gaussian","kernel":{"name":"riesz","exponent":3}}"#,
                "expected r ",
            ),
        ] {
            let error = serde_json::from_str::<Method>(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn certainties_are_stored_with_one_interval() {
        let estimate = |value, standard_error| Estimate { value, standard_error, degrees_of_freedom: 30 };
        let sliced = Certainty::Sliced { power: estimate(0.25, 0.5), value: estimate(0.5, 0.5) };
        let text = serde_json::to_string(&sliced).unwrap();
        assert!(text.starts_with(r#"{"kind":"sliced","standard_error":0.5,"interval":[0.0,1.52"#), "{text}");
        assert!(text.ends_with(r#","power_standard_error":0.5}"#), "{text}");
        let nothing = Certainty::Sliced { power: estimate(1.0, f64::NAN), value: estimate(1.0, f64::NAN) };
        for (certainty, told) in [
            (sliced, "+- 5.00e-1 over draws of slices, 95 % interval 0.000000 to 1.5"),
            (nothing, "of slices too few to tell an error"),
            (Certainty::Exact { gap: 1e-9 }, "exact, rounding below 1e-9"),
            (Certainty::Interval { lower: 1.0, upper: 2.0 }, "power from 1.000000 to 2.000000 for certain"),
            (Certainty::Bounds { lower: 1.0, upper: 2.0 }, "from 1.000000 to 2.000000 for certain"),
        ] {
            assert!(certainty.to_string().starts_with(told), "{certainty}");
            let text = serde_json::to_string(&certainty).unwrap();
            let record: CertaintyRecord = serde_json::from_str(&text).unwrap();
            assert_eq!((record, serde_json::to_string(&record).unwrap()), (certainty.record(), text));
        }
    }
}
