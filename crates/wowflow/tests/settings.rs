//! Settings of flows: what is left open, what is refused, what is stored.

use wowflow::auto::Auto;
use wowflow::directions::Slicing;
use wowflow::flow::{
    BatchSettings, Decay, Resolved, SchemeName, Settings, StepRule, StepSize, StopReason, to,
};
use wowflow::functional::{BatchEstimator, Redraw};
use wowflow::kernel::{KernelName, KernelSettings};
use wowflow::measure::MeasureOverMeasures;

type Measure = MeasureOverMeasures<f64>;

fn pair() -> (Measure, Measure) {
    let p = Measure::uniform(vec![0.0, 0.0, 1.0, 0.0, 0.5, 2.0], 2, &[2, 1]).unwrap();
    let q = Measure::uniform(vec![3.0, 1.0, 4.0, 1.0, 3.5, 3.0, 5.0, 5.0], 2, &[2, 2]).unwrap();
    (p, q)
}

fn resolved(settings: &Settings) -> Resolved {
    let (p, q) = pair();
    settings.resolve(&p, &q).unwrap()
}

fn refused(settings: &Settings) -> String {
    let (p, q) = pair();
    settings.resolve(&p, &q).unwrap_err().to_string()
}

#[test]
fn what_is_left_open_becomes_numbers() {
    let usual = resolved(&Settings::default());
    assert_eq!((usual.steps, usual.directions, usual.slicing), (300, 100, Slicing::Equispaced));
    assert_eq!((usual.step_size, usual.schedule), (StepSize::Adaptive(1.5), Decay::Constant));
    let adam = resolved(&Settings { scheme: SchemeName::Adam, ..Settings::default() });
    assert!(matches!(adam.step_size, StepSize::Fixed(tau) if tau > 0.0) && adam.schedule == Decay::Cosine);
    let steady = resolved(&Settings { scheme: SchemeName::Lbfgs, ..Settings::default() });
    assert_eq!((steady.redraw, steady.step_size), (Redraw::Never, StepSize::Adaptive(1.0)));
    let kernel = KernelSettings::of(KernelName::Gaussian);
    let measured = resolved(&Settings { kernel, ..Settings::default() });
    assert!(measured.kernel.and_then(|kernel| kernel.bandwidth()).unwrap() > 1.0);
    let batches = Some(BatchSettings { size: 1, estimator: Auto::Auto });
    let batched = resolved(&Settings { target_batches: batches, ..Settings::default() });
    assert_eq!(batched.target_batches.unwrap().estimator, BatchEstimator::Debiased);
}

#[test]
fn what_does_not_go_together_is_named() {
    let with = |functional: &str| Settings { functional: functional.parse().unwrap(), ..Settings::default() };
    for (settings, words) in [
        (Settings { directions: 7.into(), ..with("pooled-mmd") }, "directions with sliced functionals only"),
        (
            Settings { kernel: KernelSettings::of(KernelName::Laplace), ..with("pooled-mmd") },
            "a kernel with the functional mmd-sw only",
        ),
        (
            Settings { momentum: 0.5.into(), scheme: SchemeName::Lbfgs, ..Settings::default() },
            "momentum with scheme heavy-ball, nesterov or adam only",
        ),
        (
            Settings { scheme: SchemeName::Lbfgs, ..with("matched-sw") },
            "functional with directions that can be kept with scheme lbfgs",
        ),
        (
            Settings {
                step_size: StepRule::Eta(0.1).into(),
                scheme: SchemeName::Adam,
                ..Settings::default()
            },
            "step-size auto or a number with scheme adam",
        ),
        (
            Settings { momentum: 1.0.into(), ..Settings::default() },
            "momentum at least 0 and below 1, found 1",
        ),
        (
            Settings {
                kernel: KernelSettings { exponent: 1.0.into(), ..KernelSettings::of(KernelName::Gaussian) },
                ..Settings::default()
            },
            "exponent with the riesz kernel only, found it with the gaussian kernel",
        ),
    ] {
        let text = refused(&settings);
        assert!(text.contains(words), "{text}");
    }
    let (p, _) = pair();
    let gaussian = Settings { kernel: KernelSettings::of(KernelName::Gaussian), ..Settings::default() };
    let alike = Measure::uniform(vec![1.0, 1.0], 2, &[1]).unwrap();
    assert!(gaussian.resolve(&alike, &alike).unwrap_err().to_string().contains("give a bandwidth"));
    let line = Measure::uniform(vec![1.0], 1, &[1]).unwrap();
    assert!(Settings::default().resolve(&p, &line).is_err());
}

#[test]
fn every_functional_and_sum_flows() {
    let (p, q) = pair();
    for name in
        ["mmd-sw", "pooled-mmd", "matched-sw", "mean-matching", "mmd-sw+0.5*pooled-mmd+2*mean-matching"]
    {
        let settings = Settings { functional: name.parse().unwrap(), ..Settings::default() };
        let flowed = to(&p, &q, &settings).unwrap();
        assert!(flowed.value_final < 0.2 * flowed.value_initial, "{name}: {flowed:?}");
        assert!(matches!(flowed.stop, StopReason::StepsDone | StopReason::Stationary), "{name}");
        assert_eq!(flowed.particles.class_count(), 2);
    }
}

#[test]
#[cfg(feature = "serde")]
fn settings_survive_storing_to_the_last_bit_and_are_checked_on_the_way_back() {
    use wowflow::kernel::Kernel;
    use wowflow::name::Named;

    let mut bits = 0x9e37_79b9_7f4a_7c15u64;
    let mut config = resolved(&Settings { seed: u64::MAX, ..Settings::default() });
    for _ in 0..2000 {
        // Numbers from 1 to 2 with every kind of ending.
        bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let size = f64::from_bits(0x3ff0_0000_0000_0000 | bits >> 12) * 0.037;
        config.step_size = StepSize::Adaptive(size);
        config.kernel = Some(wowflow::kernel::Gaussian::new(size * 31.0).unwrap().into());
        let text = serde_json::to_string_pretty(&config).unwrap();
        assert_eq!(serde_json::from_str::<Resolved>(&text).unwrap(), config);
    }
    let text = serde_json::to_string(&config).unwrap();
    for (from, to) in
        [("\"momentum\":0.7", "\"momentum\":1.7"), ("\"mmd-sw\"", "\"mmd\""), ("\"heavy-ball\"", "\"x\"")]
    {
        assert!(text.contains(from), "{text}");
        assert!(serde_json::from_str::<Resolved>(&text.replace(from, to)).is_err(), "{to}");
    }
    for name in KernelName::ALL {
        let kernel =
            KernelSettings { name: *name, ..KernelSettings::default() }.resolve(|_| Some(0.3)).unwrap();
        let stored = serde_json::to_string(&kernel).unwrap();
        assert_eq!(serde_json::from_str::<Kernel>(&stored).unwrap(), kernel, "{stored}");
    }
    assert!(serde_json::from_str::<Kernel>(r#"{"name":"gaussian"}"#).is_err());
    assert!(serde_json::from_str::<Kernel>(r#"{"name":"gaussian","bandwidth":-1}"#).is_err());
}
