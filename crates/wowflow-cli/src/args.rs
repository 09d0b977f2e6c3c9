//! The command line as typed.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand};
use wowflow::auto::Auto;
use wowflow::dataset::Precision;
use wowflow::directions::Slicing;
use wowflow::flow::{Decay, SchemeName, StepRule};
use wowflow::functional::{BatchEstimator, Redraw, Sum};
use wowflow::kernel::KernelName;

/// How datasets are named, below the help of every command that takes some.
macro_rules! datasets {
    () => {
        "

A dataset is a generator (glyphs:digits:100), a named set (mnist[train]:200), a file (data.npz,
'table.csv[label=species]') or a folder with a folder of images a class; the number at the end is
that of samples a class. `wowflow help` says more."
    };
}

pub(crate) mod compare;
pub(crate) mod ends;
pub(crate) mod geometry;
mod images;
#[cfg_attr(not(feature = "learn"), path = "args/without_learn.rs")]
pub(crate) mod learn;
mod values;

use ends::EndsArgs;

use compare::{
    AGREEMENT_EXAMPLES, AgreementArgs, DISTANCE_EXAMPLES, DistanceArgs, PAIRWISE_EXAMPLES, PairwiseArgs,
};

pub(crate) use images::{ColourArgs, SizeArgs};
pub(crate) use values::by_name;

/// Compare labeled datasets and flow one into another.
#[derive(Debug, Parser)]
#[command(name = "wowflow", version, max_term_width = 110, after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Datasets are named the same way everywhere:
  glyphs:digits:100          a generator, 100 samples a class
  mnist[train]:200           a named dataset and split, 200 samples a class, drawn with the seed
  path/to/file.npz           a file: .npz, .csv, IDX, CIFAR-10, LIBSVM, each also compressed
  path/to/folder             a folder with one folder of images a class

Examples:
  wowflow flow                                  flow drawn letters into drawn digits
  wowflow flow 'mnist[train]:200' 'fashion-mnist[train]:200'
  wowflow distance 'mnist[train]:200' 'fashion-mnist[train]:200'
  wowflow pairwise 'mnist[test]:100' 'kmnist[test]:100' 'fashion-mnist[test]:100'
  wowflow agreement distances.toml              which distances rank datasets as exact ones do
  wowflow adapt a/ b/                           a classifier of b looks at a on its way to b
  wowflow transfer a/ b/                        few samples of b enlarged from a, and tested
  wowflow distill a/ --per-class 10             ten samples a class that stand for all
  wowflow reproduce --list                      published experiments, to be run here
  wowflow rings                                 the synthetic experiment with five functionals
  wowflow info glyphs:letters                   what is in a dataset
  wowflow fetch mnist                           download a named dataset
  wowflow geodesic rings:source rings           the shortest way between two datasets
  wowflow barycenter a.npz b.npz c.npz          the mean of several datasets";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Flow a labeled dataset into another: every sample moves, classes stay classes.
    #[command(after_long_help = FLOW_EXAMPLES)]
    Flow(Box<FlowArgs>),
    /// Say how far apart two labeled datasets are, and which class is near which.
    #[command(after_long_help = DISTANCE_EXAMPLES)]
    Distance(Box<DistanceArgs>),
    /// Compare datasets two by two: a matrix, a heat map with a tree, a map.
    #[command(after_long_help = PAIRWISE_EXAMPLES)]
    Pairwise(Box<PairwiseArgs>),
    /// Ask which distances rank pairs of datasets as a reference does: an experiment from a file, in one figure.
    #[command(after_long_help = AGREEMENT_EXAMPLES)]
    Agreement(AgreementArgs),
    /// See how a classifier of the target sees the source on its way there.
    #[command(after_long_help = learn::ADAPT_EXAMPLES)]
    Adapt(Box<learn::AdaptArgs>),
    /// Enlarge a small dataset from a large one, and see what a classifier gains (k-shot transfer).
    #[command(after_long_help = learn::TRANSFER_EXAMPLES)]
    Transfer(Box<learn::TransferArgs>),
    /// Make few samples a class that stand for a large dataset, and train on them.
    #[command(after_long_help = learn::DISTILL_EXAMPLES)]
    Distill(Box<learn::DistillArgs>),
    /// Run a published experiment, or one of your own from a file, and compare.
    #[command(after_long_help = learn::REPRODUCE_EXAMPLES)]
    Reproduce(learn::ReproduceArgs),
    /// Flow three clouds into three rings with five functionals side by side.
    #[command(after_long_help = "Example:\n  wowflow rings --out runs/rings --steps 500")]
    Rings(RingsArgs),
    /// Show what is in a dataset: counts, shapes, classes and a contact sheet.
    #[command(
        after_long_help = concat!(
            "Examples:\n  wowflow info 'mnist[test]' --data-dir data\n  wowflow info my.csv --json",
            datasets!()
        )
    )]
    Info(InfoArgs),
    /// Download the original files of a named dataset, checked against published checksums.
    #[command(after_long_help = "Example:\n  wowflow fetch fashion-mnist --data-dir data")]
    Fetch(FetchArgs),
    /// Write the datasets on the geodesic between two: the shortest way from one into the other.
    #[command(after_long_help = geometry::GEODESIC_EXAMPLES)]
    Geodesic(geometry::GeodesicArgs),
    /// Average several datasets: the barycenter, with a bound on what any average could reach.
    #[command(after_long_help = geometry::BARYCENTER_EXAMPLES)]
    Barycenter(geometry::BarycenterArgs),
}

impl Command {
    /// The command as it is typed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Flow(_) => "flow",
            Self::Distance(_) => "distance",
            Self::Pairwise(_) => "pairwise",
            Self::Agreement(_) => "agreement",
            Self::Adapt(_) => "adapt",
            Self::Transfer(_) => "transfer",
            Self::Distill(_) => "distill",
            Self::Reproduce(_) => "reproduce",
            Self::Rings(_) => "rings",
            Self::Info(_) => "info",
            Self::Fetch(_) => "fetch",
            Self::Geodesic(_) => "geodesic",
            Self::Barycenter(_) => "barycenter",
        }
    }
}

const FLOW_EXAMPLES: &str = concat!(
    "\
Examples:
  wowflow flow                                        glyphs:letters to glyphs:digits
  wowflow flow 'mnist[train]:200' 'fashion-mnist[train]:10' --steps 500
  wowflow flow a.npz b.npz --kernel gaussian --bandwidth 0.5 --out runs/a-to-b
  wowflow flow --step-size 0.1 --momentum 0.9 --schedule constant      the published setting
  wowflow flow rings:source rings --scheme lbfgs
  wowflow flow --functional mmd-sw+0.1*pooled-mmd
  wowflow flow --resume runs/a-to-b                   go on after Ctrl-C or a crash

A run directory holds config.json, provenance.json, metrics.jsonl, summary.json, flowed.npz with the \
new labels and the rows samples had (source_row), checkpoints, and pictures: images.png (or \
trajectories.png), flow.gif, loss.png.",
    datasets!()
);

/// Options of every command that reads datasets.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct DataArgs {
    /// Folder with named datasets, looked at before WOWFLOW_DATA and the cache folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Options shared by flows and comparisons.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct CommonArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Threads to use; the result does not depend on it. Default: all cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Print one JSON object on standard output; text goes to standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `wowflow flow`.
#[derive(Debug, Default, ClapArgs)]
#[command(group = ArgGroup::new("fresh").multiple(true).conflicts_with("resume"))]
pub(crate) struct FlowArgs {
    #[command(flatten)]
    pub(crate) ends: EndsArgs,
    /// What descends: mmd-sw, pooled-mmd (the baseline that forgets classes), matched-sw, mean-matching (both match
    /// class c with class c of the target), or a sum of some with weights, such as mmd-sw+0.5*pooled-mmd. Default:
    /// mmd-sw.
    #[arg(long, value_name = "SUM", group = "fresh")]
    pub(crate) functional: Option<Sum>,
    /// Kernel between classes, of mmd-sw. Default: riesz.
    #[arg(long, value_name = "KERNEL", group = "fresh", value_parser = by_name::<KernelName>())]
    pub(crate) kernel: Option<KernelName>,
    /// Bandwidth h of the gaussian, laplace and imq kernels: a number, or auto (the mean sliced
    /// distance between source and target). Default: auto.
    #[arg(long, value_name = "H", group = "fresh", allow_negative_numbers = true, value_parser = parse_bandwidth)]
    pub(crate) bandwidth: Option<Auto<f64>>,
    /// Exponent r of the riesz kernel, between 0 and 2. Default: 1.
    #[arg(long, value_name = "R", group = "fresh", allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) exponent: Option<f64>,
    /// Smoothing length eps of the riesz kernel. Default: 0.
    #[arg(long, value_name = "EPS", group = "fresh", allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) smoothing: Option<f64>,
    /// Number of steps. Default: 300.
    #[arg(long, value_name = "N", group = "fresh", value_parser = parse_whole)]
    pub(crate) steps: Option<u64>,
    /// What a step does with the velocity. Default: heavy-ball.
    #[arg(long, value_name = "SCHEME", group = "fresh", value_parser = by_name::<SchemeName>())]
    pub(crate) scheme: Option<SchemeName>,
    /// Step size: auto; adaptive:X (X times the inverse curvature that each sample feels at every step,
    /// stable below 2); eta:X (X times the dimension and a factor of the directions: one X for all dimensions) or
    /// a number (the plain tau of x - tau v). Default: auto, which is adaptive:1.5 for heavy-ball.
    #[arg(long, value_name = "SIZE", group = "fresh", allow_negative_numbers = true)]
    pub(crate) step_size: Option<Auto<StepRule>>,
    /// How the step shrinks over the run. Default: constant for adaptive steps and lbfgs, cosine for others and
    /// with --target-batch.
    #[arg(long, value_name = "DECAY", group = "fresh", value_parser = by_name::<Decay>())]
    pub(crate) schedule: Option<Decay>,
    /// Momentum m, at least 0 and below 1; for adam the decay of the first moment. Default: 0.7 (nesterov 0.8)
    /// times L/d where directions are fewer than dimensions; 0.8 with fixed steps; adam 0.9.
    #[arg(long, value_name = "M", group = "fresh", allow_negative_numbers = true, value_parser = parse_number)]
    pub(crate) momentum: Option<f64>,
    /// How the momentum shrinks over the run. Default: linear with adaptive steps, constant with others.
    #[arg(long, value_name = "DECAY", group = "fresh", value_parser = by_name::<Decay>())]
    pub(crate) momentum_schedule: Option<Decay>,
    /// Every N steps, compare with the state N steps before on the same fresh directions, and stop unless a
    /// one-sided t-test at level 5 % finds that the MMD has fallen. Default: never.
    #[arg(long, value_name = "N", group = "fresh", value_parser = parse_positive)]
    pub(crate) settle_every: Option<u64>,
    /// Slicing directions a step, L. Default: 2048; 500 below dimension 64; 100 in the plane.
    #[arg(long, value_name = "L", group = "fresh", value_parser = parse_directions)]
    pub(crate) directions: Option<usize>,
    /// Kind of directions. Default: hadamard; orthonormal below dimension 64; equispaced in the plane.
    #[arg(long, value_name = "SLICING", group = "fresh", value_parser = by_name::<Slicing>())]
    pub(crate) slicing: Option<Slicing>,
    /// When directions are drawn. Default: every-step; never for lbfgs.
    #[arg(long, value_name = "REDRAW", group = "fresh", value_parser = by_name::<Redraw>())]
    pub(crate) redraw: Option<Redraw>,
    /// Take N samples of every target class at a step instead of all. Default: all.
    #[arg(long, value_name = "N", group = "fresh", value_parser = parse_count)]
    pub(crate) target_batch: Option<usize>,
    /// How distances are estimated from a batch. Default: debiased, which the laplace kernel cannot be.
    #[arg(long, value_name = "ESTIMATOR", group = "fresh", requires = "target_batch", value_parser = by_name::<BatchEstimator>())]
    pub(crate) batch_estimator: Option<BatchEstimator>,
    /// Precision of the samples and of their projections; distances are summed in double precision
    /// always. Default: f32, and f64 where f32 would lose digits that are seen.
    #[arg(long, value_name = "PRECISION", group = "fresh", value_parser = by_name::<Precision>())]
    pub(crate) precision: Option<Precision>,
    /// Seed of everything random. Default: 0.
    #[arg(long, value_name = "SEED", group = "fresh", value_parser = parse_whole)]
    pub(crate) seed: Option<u64>,
    /// Steps between checkpoints. Default: a tenth of the run.
    #[arg(long, value_name = "N", group = "fresh", value_parser = parse_positive)]
    pub(crate) checkpoint_every: Option<u64>,
    /// Every N steps, ask a 1-nearest-neighbour classifier made of the target what each sample is;
    /// accuracy.png shows the share that agrees with the final labels. Default: never.
    #[arg(long, value_name = "N", group = "fresh", value_parser = parse_positive)]
    pub(crate) neighbours_every: Option<u64>,
    /// Every N steps, the exact W_W2^2 to the target, the square of what `wowflow distance` says; distance.png
    /// shows it. Default: at both ends only.
    #[arg(long, value_name = "N", group = "fresh", value_parser = parse_positive)]
    pub(crate) distance_every: Option<u64>,
    /// Compare classes exactly up to this many samples each; larger ones by a sample of that size,
    /// and the summary says so. Default: 2000.
    #[arg(long, value_name = "N", group = "fresh", value_parser = parse_count)]
    pub(crate) exact_limit: Option<usize>,
    /// Run directory to create. Default: runs/ and a name of its own.
    #[arg(long, value_name = "DIR", group = "fresh")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with an interrupted run, with the configuration stored there.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["EndsArgs", "SizeArgs", "ColourArgs"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) size: SizeArgs,
    #[command(flatten)]
    pub(crate) colour: ColourArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `wowflow rings`.
#[derive(Debug, ClapArgs)]
pub(crate) struct RingsArgs {
    /// Folder to create for the pictures and the table. Default: runs/ and a name of its own.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Steps of each flow.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = parse_positive)]
    pub(crate) steps: u64,
    /// Samples of each ring.
    #[arg(long, value_name = "N", default_value_t = 80, value_parser = parse_count)]
    pub(crate) samples: usize,
    /// Slicing directions a step.
    #[arg(long, value_name = "L", default_value_t = 100, value_parser = parse_directions)]
    pub(crate) directions: usize,
    /// Seed of everything random.
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = parse_whole)]
    pub(crate) seed: u64,
    /// Threads to use; the result does not depend on it. Default: all cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Print one JSON object on standard output; text goes to standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `wowflow info`.
#[derive(Debug, ClapArgs)]
pub(crate) struct InfoArgs {
    /// The dataset.
    pub(crate) dataset: String,
    /// Where to write the contact sheet (a scatter for points in the plane). Default: runs/ and a
    /// name of its own.
    #[arg(long, value_name = "PNG", conflicts_with = "no_sheet")]
    pub(crate) sheet: Option<PathBuf>,
    /// Write no contact sheet.
    #[arg(long)]
    pub(crate) no_sheet: bool,
    /// Seed of generators and of samples drawn.
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = parse_whole)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) size: SizeArgs,
    #[command(flatten)]
    pub(crate) colour: ColourArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Print one JSON object on standard output; text goes to standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `wowflow fetch`.
#[derive(Debug, ClapArgs)]
pub(crate) struct FetchArgs {
    /// mnist, fashion-mnist, kmnist, usps, cifar10 or svhn.
    pub(crate) name: String,
    /// Folder to put it in, as DIR/NAME. Default: WOWFLOW_DATA, or the cache folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Take the files from this address instead of the published ones; checksums stay the same.
    #[arg(long, value_name = "URL")]
    pub(crate) mirror: Option<String>,
    /// Print one JSON object on standard output; text goes to standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `--bandwidth`.
pub(crate) fn parse_bandwidth(text: &str) -> Result<Auto<f64>, String> {
    let positive = |value: &Auto<f64>| value.given().is_none_or(|h| h > 0.0 && h.is_finite());
    let found = text.parse().ok().filter(positive);
    found.ok_or_else(|| format!("expected auto or a positive number, found `{text}`"))
}

pub(crate) fn parse_count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| format!("expected a whole number of at least 1, found `{text}`"))
}

/// More directions a step than this would fill the memory before they helped.
pub(crate) const MOST_DIRECTIONS: usize = 100_000;

fn parse_directions(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|n| (1..=MOST_DIRECTIONS).contains(n));
    count.ok_or_else(|| format!("expected a whole number from 1 to {MOST_DIRECTIONS}, found `{text}`"))
}

pub(crate) fn parse_whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number of at least 0, found `{text}`"))
}

pub(crate) fn parse_number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("expected a number, found `{text}`"))
}

pub(crate) fn parse_positive(text: &str) -> Result<u64, String> {
    parse_count(text).map(|n| n as u64)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn step_sizes_are_read() {
        assert_eq!("auto".parse(), Ok(Auto::<StepRule>::Auto));
        assert_eq!("0.1".parse(), Ok(Auto::Given(StepRule::Tau(0.1))));
        assert_eq!("eta:0.05".parse(), Ok(Auto::Given(StepRule::Eta(0.05))));
        assert_eq!("adaptive:2".parse(), Ok(Auto::Given(StepRule::Adaptive(2.0))));
        for bad in ["", "0", "-1", "nan", "eta:", "eta:inf", "tau:x", "beta:1", "adaptive:0"] {
            assert!(bad.parse::<Auto<StepRule>>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_resumed_run_takes_no_new_configuration() {
        assert!(
            Args::try_parse_from(["wowflow", "flow", "--resume", "a", "--threads", "2", "--json"]).is_ok()
        );
        assert!(Args::try_parse_from(["wowflow", "flow", "--resume", "a", "--steps", "5"]).is_err());
    }
}
