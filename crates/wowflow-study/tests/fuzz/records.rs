//! What studies leave and read again: configurations, metrics, frames, checkpoints, logs; experiment files; networks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Serialize;
use wowflow_data::npy::{read_npz_from, write_npy_to};
use wowflow_learn::{Architecture, Input, Network};
use wowflow_study::agreement::{self, PairRecord};
use wowflow_study::experiment::{ExperimentConfig, MethodKind, Published, Repetition, TransferRequest};
use wowflow_study::record::{Config, Program, RunDir, Session, read_lines, read_metrics};
use wowflow_study::{Event, Observer, barycenter, distance, flow, geodesic};

use crate::harness::{Files, Format, fuzz};
use crate::mutate::Mutator;
use crate::pack::zip;

/// Stops a flow as soon as it is asked for so many steps.
struct Stop(u64);

impl Observer for Stop {
    fn event(&self, _: &Event<'_>) {}

    fn stop_requested(&self) -> bool {
        self.0 == 0
    }
}

/// The files of a flow that was interrupted after its first step.
fn run_files() -> &'static [(&'static str, Vec<u8>)] {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let mut request =
            flow::Request { source: "rings:source:4".into(), target: "rings:4".into(), ..Default::default() };
        request.settings.steps = 8.into();
        request.settings.directions = 4.into();
        let ended = flow::start(&request, &out, &Program::default(), &Stop(0)).unwrap();
        assert!(matches!(ended, flow::Outcome::Interrupted { .. }));
        let mut files = Vec::new();
        gather(&out, &out, &mut files);
        files
    })
}

fn gather(root: &Path, folder: &Path, files: &mut Files) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            gather(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.push((name.leak(), fs::read(&path).unwrap()));
        }
    }
}

fn told<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<(), String> {
    result.map(|_| ()).map_err(|error| error.to_string())
}

/// Goes on with a flow, and stops at once.
fn resume(folder: &Path) -> Result<(), String> {
    let result = told(flow::resume(folder, &Program::default(), &Stop(0)));
    // What it wrote would be found by the next.
    fs::remove_dir_all(folder).unwrap();
    result
}

/// Arrays of the checkpoint changed inside an archive that is whole.
fn draw_checkpoint(m: &mut Mutator) -> Files {
    let mut files = run_files().to_vec();
    // A folder is read where the first file is in one.
    files.sort_by_key(|(name, _)| !name.starts_with("checkpoints/"));
    let bytes = &mut files[0].1;
    let arrays = read_npz_from(std::io::Cursor::new(&bytes[..]), Path::new("seed")).unwrap();
    let entries: Vec<(String, Vec<u8>)> = arrays
        .iter()
        .map(|(name, array)| {
            let mut out = Vec::new();
            write_npy_to(&mut out, array).unwrap();
            (format!("{name}.npy"), if m.one_in(2) { m.touch(out) } else { out })
        })
        .collect();
    let archive = zip(m, &entries);
    *bytes = if m.one_in(4) { m.touch(archive) } else { archive };
    files
}

/// One file of a run changed.
fn draw_run(m: &mut Mutator) -> Files {
    let mut files = run_files().to_vec();
    files.sort_by_key(|(name, _)| !name.contains('/'));
    let which = m.below(files.len());
    files[which].1 = m.touch(files[which].1.clone());
    files
}

fn draw_frames(m: &mut Mutator) -> Files {
    let mut files: Files = run_files().to_vec();
    files.sort_by_key(|(name, _)| !name.starts_with("frames/"));
    // Without its checksums, as earlier versions wrote it, everything is believed.
    let unsealed = m.one_in(2);
    let without = |bytes: &[u8]| {
        let mut index: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let fields = index.as_object_mut().unwrap();
        for field in ["seal", "sha256"] {
            fields.shift_remove(field);
        }
        serde_json::to_vec(&index).unwrap()
    };
    for (name, bytes) in &mut files {
        match *name {
            "provenance.json" if unsealed => *bytes = without(bytes),
            "frames/frames.json" => {
                *bytes = m.touch(if unsealed { without(bytes) } else { bytes.clone() });
            }
            "metrics.jsonl" if m.one_in(4) => *bytes = m.touch(bytes.clone()),
            _ => {}
        }
    }
    files
}

fn read_frames(folder: &Path) -> Result<(), String> {
    told(RunDir::new(folder).read_frames_index())
}

fn draw_metrics(m: &mut Mutator) -> Files {
    let (_, bytes) = run_files().iter().find(|(name, _)| *name == "metrics.jsonl").unwrap();
    let lines = bytes.repeat(1 + m.below(3));
    let lines = m.spliced(lines, bytes);
    vec![("metrics.jsonl", m.touch(lines))]
}

fn flow_config() -> Vec<u8> {
    run_files().iter().find(|(name, _)| *name == "config.json").unwrap().1.clone()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap()
}

fn experiment() -> ExperimentConfig {
    let request = TransferRequest {
        methods: vec![MethodKind::TargetOnly, MethodKind::MmdSw],
        steps: Some(5),
        ..TransferRequest::new("gaussians:9", "gaussians:3")
    };
    request.config().unwrap()
}

const AGREEMENT: &str = "title = 'Do they agree?'\ndatasets = ['rings:20', 'moons:20']\nresize = '8x8'\nseed = 1\n\
    directions = 50\nprecision = 'f32'\nreferences = ['exact WoW']\n[pairs]\ncount = 5\nclasses = [1, 2]\nsamples = 5\n\
    same-set = 'disjoint'\n[[methods]]\nmethod = 'wow'\nname = 'exact WoW'\n[[methods]]\nmethod = 'mmd-sw'\nkernel = \
    'gaussian'\nbandwidth = 0.5\n[[methods]]\nmethod = 's-otdd'\nmoments = 3\n";

/// Configurations of every kind of study.
fn draw_config(m: &mut Mutator) -> Files {
    static KINDS: OnceLock<[Vec<u8>; 6]> = OnceLock::new();
    let kinds = KINDS.get_or_init(|| {
        let program = Program::default();
        let lookup = program.lookup(None);
        let datasets = ["rings:20", "moons:20"].map(|name| lookup.load(name, 0).unwrap());
        let agreement = agreement::Request::parse(AGREEMENT).unwrap().resolve(&datasets).unwrap();
        let geodesic = geodesic::solve(&geodesic::Request::new("rings:3", "moons:3"), &program, &()).unwrap();
        let barycenter =
            barycenter::solve(&barycenter::Request::new(["rings:3", "moons:3"]), &program, &()).unwrap();
        [
            flow_config(),
            json(&agreement),
            json(&distance::Config::new(&distance::Request::default(), &datasets).unwrap()),
            json(&experiment()),
            json(geodesic.config()),
            json(barycenter.config()),
        ]
    });
    let (config, other) = (&kinds[m.below(6)], &kinds[m.below(6)]);
    let config = m.spliced(config.clone(), other);
    vec![("run/config.json", m.touch(config))]
}

/// As any kind of study: one of them has to know it.
fn read_config(folder: &Path) -> Result<(), String> {
    fn open<C: Config>(folder: &Path) -> Result<(), String> {
        told(Session::open::<C>(folder))
    }
    let folder = &folder.join("run");
    let kinds = [
        open::<flow::Config>,
        open::<agreement::Config>,
        open::<distance::Config>,
        open::<ExperimentConfig>,
        open::<geodesic::Config>,
        open::<barycenter::Config>,
    ];
    kinds.iter().map(|open| open(folder)).reduce(Result::or).unwrap()
}

fn draw_agreement(m: &mut Mutator) -> Files {
    let text = m.touch(AGREEMENT.as_bytes().to_vec());
    vec![("agreement.toml", m.spliced(text, AGREEMENT.as_bytes()))]
}

fn read_agreement(path: &Path) -> Result<(), String> {
    told(agreement::Request::read(path))
}

fn draw_experiment(m: &mut Mutator) -> Files {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| include_str!("../../experiments/adaptation.toml").to_owned());
    let bytes = m.touch(text.clone().into_bytes());
    vec![("experiment.toml", m.spliced(bytes, text.as_bytes()))]
}

fn read_experiment(path: &Path) -> Result<(), String> {
    told(ExperimentConfig::read(path))
}

fn draw_published(m: &mut Mutator) -> Files {
    let text = include_str!("../../experiments/adaptation-published.json");
    vec![("published.json", m.touch(text.as_bytes().to_vec()))]
}

fn read_published(path: &Path) -> Result<(), String> {
    let text = fs::read(path).unwrap();
    told(Published::parse(&String::from_utf8_lossy(&text)))
}

/// A finished pair, and lines as experiments have them.
fn draw_log(m: &mut Mutator) -> Files {
    let line = r#"{"pair":0,"found":[{"value":0.5,"certainty":{"kind":"exact","gap":0.0},"seconds":0.1}]}"#;
    let lines = format!("{line}\n").repeat(1 + m.below(3)).into_bytes();
    vec![("pairs.jsonl", m.touch(lines))]
}

fn read_log(path: &Path) -> Result<(), String> {
    told(read_lines(path, |_, _: &PairRecord| Ok(()))).or(told(read_lines(path, |_, _: &Repetition| Ok(()))))
}

fn draw_network(m: &mut Mutator) -> Files {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| {
        let labels = ["ant", "bee"].map(str::to_owned).to_vec();
        let network = Network::new(Architecture::Mlp, Input::Vector(1), 2, 0).unwrap();
        network.with_labels(labels).unwrap().to_bytes().unwrap()
    });
    vec![("classifier.safetensors", m.touch(bytes.clone()))]
}

fn read_network(path: &Path) -> Result<(), String> {
    told(Network::load(path))
}

#[test]
fn checkpoints() {
    fuzz(&Format { name: "checkpoint", draw: draw_checkpoint, read: resume, inputs: 300 });
}

#[test]
fn runs_of_flows() {
    fuzz(&Format { name: "run", draw: draw_run, read: resume, inputs: 300 });
}

#[test]
fn frames() {
    fuzz(&Format { name: "frames", draw: draw_frames, read: read_frames, inputs: 2000 });
}

#[test]
fn metrics() {
    fuzz(&Format {
        name: "metrics",
        draw: draw_metrics,
        read: |path| told(read_metrics(path)),
        inputs: 4000,
    });
}

#[test]
fn configurations() {
    fuzz(&Format { name: "config", draw: draw_config, read: read_config, inputs: 3000 });
}

#[test]
fn agreement_files() {
    fuzz(&Format { name: "agreement", draw: draw_agreement, read: read_agreement, inputs: 3000 });
}

#[test]
fn experiment_files() {
    fuzz(&Format { name: "experiment", draw: draw_experiment, read: read_experiment, inputs: 2000 });
}

#[test]
fn published_values() {
    fuzz(&Format { name: "published", draw: draw_published, read: read_published, inputs: 2000 });
}

#[test]
fn logs() {
    fuzz(&Format { name: "log", draw: draw_log, read: read_log, inputs: 4000 });
}

#[test]
fn networks() {
    fuzz(&Format { name: "network", draw: draw_network, read: read_network, inputs: 4000 });
}
