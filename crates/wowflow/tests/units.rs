//! Flows scale with the data and move with them, far from 1 as near it.

use wowflow::flow::{self, Flowed, Settings, SettingsError, StepRule};
use wowflow::flow::{FlowError, SchemeName};
use wowflow::functional::FunctionalName;
use wowflow::kernel::{KernelName, KernelSettings};
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;

/// Three classes of five samples in the plane, on a grid of `2^-10`.
fn points(seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % 4096) as f64 / 1024.0
    };
    (0..15).flat_map(|row| [uniform() + f64::from(row / 5), uniform() - f64::from(row / 5)]).collect()
}

fn pair<T: Scalar>(change: impl Fn(f64) -> f64) -> [MeasureOverMeasures<T>; 2] {
    [3, 8].map(|seed| {
        let points = points(seed).into_iter().map(|x| T::from_f64(change(x))).collect();
        MeasureOverMeasures::uniform(points, 2, &[5, 5, 5]).unwrap()
    })
}

fn flowed<T: Scalar>(change: impl Fn(f64) -> f64, settings: &Settings) -> Result<Flowed<T>, FlowError> {
    let [p, q] = pair::<T>(change);
    flow::to(&p, &q, settings)
}

/// That a flow of changed data is the changed flow.
#[track_caller]
fn same<T: Scalar>(plain: &Flowed<T>, found: &Flowed<T>, back: impl Fn(f64) -> f64, value: f64, error: f64) {
    for (x, y) in plain.particles.points().iter().zip(found.particles.points()) {
        let (x, y) = (x.to_f64(), back(y.to_f64()));
        assert!((x - y).abs() < error, "{x} {y}");
    }
    assert_eq!((plain.steps, plain.stop), (found.steps, found.stop));
    for (x, y) in [(plain.value_initial, found.value_initial), (plain.value_final, found.value_final)] {
        assert!((x - y / value).abs() < error * plain.value_initial, "{x} {}", y / value);
    }
    assert!(found.value_final < 0.3 * found.value_initial, "{}", found.value_final / found.value_initial);
}

fn kernel(name: KernelName) -> Settings {
    Settings { kernel: KernelSettings::of(name), steps: 40.into(), ..Settings::default() }
}

/// Settings and the power of the unit of length that their values have.
fn flows() -> Vec<(Settings, f64)> {
    let functional = |name: FunctionalName| Settings { functional: name.into(), ..kernel(KernelName::Riesz) };
    let scheme = |scheme| Settings { scheme, ..kernel(KernelName::Riesz) };
    vec![
        (kernel(KernelName::Riesz), 1.0),
        (kernel(KernelName::Gaussian), 0.0),
        (kernel(KernelName::Laplace), 0.0),
        (kernel(KernelName::InverseMultiquadric), -1.0),
        (functional(FunctionalName::PooledMmd), 1.0),
        (functional(FunctionalName::MatchedSw), 2.0),
        (scheme(SchemeName::Nesterov), 1.0),
        (scheme(SchemeName::Adam), 1.0),
        (scheme(SchemeName::Lbfgs), 1.0),
    ]
}

#[test]
fn flows_scale_with_the_data() {
    for (settings, power) in flows() {
        let plain = flowed::<f64>(|x| x, &settings).unwrap();
        for exponent in [-498, -332, -66, -21, 21, 66, 332, 495] {
            let scale = f64::exp2(f64::from(exponent));
            let found = flowed::<f64>(|x| x * scale, &settings).unwrap();
            same(&plain, &found, |x| x / scale, scale.powf(power), 1e-7);
        }
        let plain = flowed::<f32>(|x| x, &settings).unwrap();
        for exponent in [-60, -30, 30, 60] {
            let scale = f64::exp2(f64::from(exponent));
            let found = flowed::<f32>(|x| x * scale, &settings).unwrap();
            same(&plain, &found, |x| x / scale, scale.powf(power), 2e-2);
        }
    }
}

#[test]
fn flows_move_with_the_data() {
    for (settings, _) in flows() {
        let plain = flowed::<f64>(|x| x, &settings).unwrap();
        for offset in [1e5, -1e7, 4e9] {
            let found = flowed::<f64>(|x| x + offset, &settings).unwrap();
            // What is lost is what an offset leaves no digits for, grown along the flow.
            same(&plain, &found, |x| x - offset, 1.0, 1e-3);
        }
    }
}

#[test]
fn parameters_are_in_the_units_of_the_data() {
    let (scale, given) = (f64::exp2(-100.0), |rule, bandwidth| Settings {
        kernel: KernelSettings::of(KernelName::Gaussian).with_bandwidth(bandwidth),
        step_size: StepRule::Tau(rule).into(),
        steps: 60.into(),
        ..Settings::default()
    });
    // A Gaussian kernel has no unit: its steps are squared lengths, as its bandwidth is.
    let plain = flowed::<f64>(|x| x, &given(2.0, 3.0)).unwrap();
    let small = given(2.0 * scale * scale, 3.0 * scale * scale);
    let found = flowed::<f64>(|x| x * scale, &small).unwrap();
    same(&plain, &found, |x| x / scale, 1.0, 1e-7);
    assert_eq!(found.settings.step_size.to_string(), (2.0 * scale * scale).to_string());
    assert_eq!(found.settings.kernel.unwrap().bandwidth(), Some(3.0 * scale * scale));
}

#[test]
fn terms_of_several_units_are_refused_far_from_one() {
    let settings = Settings { functional: "mmd-sw+matched-sw".parse().unwrap(), ..Settings::default() };
    let error = flowed::<f64>(|x| x * 1e-100, &settings).unwrap_err();
    assert!(matches!(error, FlowError::Settings(SettingsError::SeveralUnits { .. })), "{error}");
    assert!(error.to_string().contains("for mmd-sw+matched-sw: multiply the data by 2e99"), "{error}");
    let moved = flowed::<f64>(|x| x + 1e6, &settings).unwrap();
    assert!(moved.value_final < 0.3 * moved.value_initial);
}
