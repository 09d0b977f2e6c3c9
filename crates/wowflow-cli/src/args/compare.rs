//! The command line of comparisons: `wowflow distance` and `wowflow pairwise`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use wowflow::auto::Auto;
use wowflow::compare::{MethodName, MethodSettings};
use wowflow::dataset::Precision;
use wowflow::directions::Slicing;
use wowflow::kernel::{KernelName, KernelSettings};
use wowflow_data::Size;
use wowflow_study::distance::Request;

use super::ends::EndsArgs;
use super::{
    ColourArgs, CommonArgs, by_name, parse_bandwidth, parse_count, parse_directions, parse_number,
    parse_whole,
};

pub(super) const DISTANCE_EXAMPLES: &str = concat!(
    "\
Examples:
  wowflow distance 'fashion-mnist[train]:500' 'mnist[train]:500'
  wowflow distance 'mnist[train]:200' 'usps[train]:200' --resize 16x16 --figure classes.png
  wowflow distance a.npz b.npz --method otdd --json
  wowflow distance mnist fashion-mnist --method s-otdd --directions 1000
  wowflow distance mnist kmnist --method wow --sample 500          500 samples a class at most

Methods that are exact take time and memory with the square of the samples (those of a class for wow); sliced \
ones are linear, with a standard error. Values of different methods have different scales.",
    datasets!()
);

pub(super) const PAIRWISE_EXAMPLES: &str = concat!(
    "\
Examples:
  wowflow pairwise 'mnist[train]:100' 'mnist[test]:100' 'kmnist[test]:100' --out runs/grey
  wowflow pairwise mnist usps fashion-mnist --resize 16x16 --method s-otdd
  wowflow pairwise --resume runs/grey                 go on after Ctrl-C or a crash

A run directory holds config.json, provenance.json, pairs.jsonl with one line a finished pair, distances.csv, \
distances.json, summary.json, and pictures: heatmap.png in the order of the tree beside it, map.png.",
    datasets!()
);

pub(super) const AGREEMENT_EXAMPLES: &str = "\
Examples:
  wowflow agreement distances.toml --out runs/distances
  wowflow agreement --resume runs/distances           go on after Ctrl-C or a crash

An experiment file, in TOML:
  title = \"Do fast distances rank datasets as exact ones do?\"
  datasets = [\"mnist[train]\", \"usps[train]\"]
  resize = \"16x16\"                       if images differ in size
  seed = 0
  directions = 500                       slices of methods that do not say otherwise
  references = [\"exact OTDD\"]             names of methods below
  [pairs]
  count = 60
  classes = [3, 10]                      drawn for each side; or one number
  samples = 200                          of a class; or a range, drawn for each pair
  same-set = \"disjoint\"                  may both sides come from one set? or \"overlapping\", \"never\"
  [[methods]]
  method = \"otdd\"
  name = \"exact OTDD\"
  [[methods]]
  method = \"dsw\"                         options as on the command line: length = 0.3

A run directory holds config.json, provenance.json, pairs.jsonl with one line a finished pair, agreement.csv, \
agreement.md, agreement.json, and a picture a reference: agreement.png for the first.";

/// The method of a comparison and its options.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct MethodArgs {
    /// Distance between datasets. Default: wow.
    #[arg(long, value_name = "METHOD", value_parser = by_name::<MethodName>())]
    pub(crate) method: Option<MethodName>,
    /// Slices of the sliced methods, L. Default: 500.
    #[arg(long, value_name = "L", value_parser = parse_directions)]
    pub(crate) directions: Option<usize>,
    /// Kind of their directions. Default: hadamard; orthonormal below dimension 64.
    #[arg(long, value_name = "SLICING", value_parser = by_name::<Slicing>())]
    pub(crate) slicing: Option<Slicing>,
    /// Kernel of mmd-sw. Default: riesz.
    #[arg(long, value_name = "KERNEL", value_parser = by_name::<KernelName>())]
    pub(crate) kernel: Option<KernelName>,
    /// Bandwidth h of the gaussian, laplace and imq kernels: a number, or auto (the mean sliced distance
    /// between both datasets; not for pairwise, where one kernel is for all pairs). Default: auto.
    #[arg(long, value_name = "H", allow_negative_numbers = true, value_parser = parse_bandwidth)]
    pub(crate) bandwidth: Option<Auto<f64>>,
    /// Exponent r of the riesz kernel, between 0 and 2. Default: 1.
    #[arg(long, value_name = "R", allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) exponent: Option<f64>,
    /// Smoothing length eps of the riesz kernel. Default: 0.
    #[arg(long, value_name = "EPS", allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) smoothing: Option<f64>,
    /// Exponent p of s-otdd, busemann, busemann-gaussian and sw, at least 1. Default: 2.
    #[arg(long, value_name = "P", allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) order: Option<f64>,
    /// Moments of a class that s-otdd sees. Default: 5.
    #[arg(long, value_name = "K", value_parser = parse_count)]
    pub(crate) moments: Option<usize>,
    /// Random functions of dsw on every direction. Default: 8.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) functions: Option<usize>,
    /// Length on which the random functions of dsw vary, a share of the unit interval. Default: 0.1.
    #[arg(long, value_name = "LENGTH", allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) length: Option<f64>,
    /// Entropic transport between samples with this regularisation, debiased, for otdd, otdd-gaussian
    /// and otdd-sliced: a positive number in the unit of squared distances. Default: exact transport.
    #[arg(long, value_name = "EPS", allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) regularisation: Option<f64>,
    /// Compare at most N samples of every class, drawn with the seed; the output says so. Default: all.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) sample: Option<usize>,
    /// Bring the images of all datasets to this size first, such as 16x16.
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub(crate) resize: Option<Size>,
    /// Precision of the samples and of their projections; sums are in double precision always.
    /// Default: f64 if a dataset has it or f32 would lose digits that are seen, else f32.
    #[arg(long, value_name = "PRECISION", value_parser = by_name::<Precision>())]
    pub(crate) precision: Option<Precision>,
    /// Seed of everything random. Default: 0.
    #[arg(long, value_name = "SEED", value_parser = parse_whole)]
    pub(crate) seed: Option<u64>,
}

/// `wowflow distance`.
#[derive(Debug, ClapArgs)]
pub(crate) struct DistanceArgs {
    #[command(flatten)]
    pub(crate) ends: EndsArgs,
    #[command(flatten)]
    pub(crate) method: MethodArgs,
    #[command(flatten)]
    pub(crate) colour: ColourArgs,
    /// Draw the costs between classes, those that are coupled framed, for methods that compare classes.
    #[arg(long, value_name = "PNG")]
    pub(crate) figure: Option<PathBuf>,
    /// Write the costs between classes and the mass that goes between them, class_costs and class_coupling with
    /// left_labels and right_labels, as far as the method has them.
    #[arg(long, value_name = "NPZ")]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `wowflow pairwise`.
#[derive(Debug, ClapArgs)]
pub(crate) struct PairwiseArgs {
    /// The datasets, two or more, each once.
    #[arg(required_unless_present = "resume")]
    pub(crate) datasets: Vec<String>,
    #[command(flatten)]
    pub(crate) method: MethodArgs,
    #[command(flatten)]
    pub(crate) colour: ColourArgs,
    /// Run directory to create. Default: runs/pairwise, or that name with a number.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with an interrupted run, with the configuration stored there.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["datasets", "MethodArgs", "ColourArgs", "out"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `wowflow agreement`.
#[derive(Debug, ClapArgs)]
pub(crate) struct AgreementArgs {
    /// Experiment file: datasets, how pairs are drawn from them, methods, references.
    #[arg(required_unless_present = "resume")]
    pub(crate) file: Option<PathBuf>,
    /// Run directory to create. Default: the name of the file under runs, or that name with a number.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with an interrupted run, with the configuration stored there.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "out"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

impl MethodArgs {
    /// What was typed.
    pub(crate) fn request(&self) -> Request {
        let kernel = KernelSettings {
            name: self.kernel.unwrap_or_default(),
            bandwidth: self.bandwidth.unwrap_or_default(),
            exponent: self.exponent.into(),
            smoothing: self.smoothing.into(),
        };
        let typed = self.kernel.is_some()
            || self.bandwidth.is_some()
            || self.exponent.is_some()
            || self.smoothing.is_some();
        let method = MethodSettings {
            name: self.method.unwrap_or_default(),
            directions: self.directions.into(),
            slicing: self.slicing.into(),
            kernel: typed.then_some(kernel),
            order: self.order.into(),
            moments: self.moments.into(),
            functions: self.functions.into(),
            length: self.length.into(),
            process: Auto::Auto,
            regularisation: self.regularisation,
        };
        Request {
            method,
            sample: self.sample,
            resize: self.resize,
            precision: self.precision.into(),
            seed: self.seed.unwrap_or_default(),
        }
    }
}
