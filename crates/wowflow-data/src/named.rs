//! The published datasets that have a name: their files, where they come from, their checksums.

use std::fmt;

use crate::split::Split;

/// A published dataset of images of ten classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedSet {
    /// Handwritten digits, 28x28 grey, 60000 + 10000 (LeCun, Cortes, Burges).
    Mnist,
    /// Articles of clothing, 28x28 grey, 60000 + 10000 (Xiao, Rasul, Vollgraf 2017).
    FashionMnist,
    /// Cursive hiragana, 28x28 grey, 60000 + 10000 (Clanuwat et al. 2018).
    Kmnist,
    /// Digits of ZIP codes, 16x16 grey, 7291 + 2007 (Hull 1994). Pixels are mapped from [-1, 1] to [0, 1].
    Usps,
    /// Photographs, 32x32 colour, 50000 + 10000 (Krizhevsky 2009).
    Cifar10,
    /// House numbers, 32x32 colour, 73257 + 26032 (Netzer et al. 2011).
    Svhn,
}

/// A file of a published dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name, kept on disk.
    pub name: &'static str,
    /// Where it can be downloaded, best first.
    pub urls: &'static [&'static str],
    /// Its size, where known.
    pub bytes: Option<u64>,
    /// Its published checksum, which every download must have.
    pub checksum: Checksum,
}

/// A published checksum in lower-case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// 32 digits.
    Md5(&'static str),
    /// 64 digits.
    Sha256(&'static str),
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(digits) => write!(f, "MD5 {digits}"),
            Self::Sha256(digits) => write!(f, "SHA-256 {digits}"),
        }
    }
}

impl NamedSet {
    /// Every named set.
    pub const ALL: [Self; 6] =
        [Self::Mnist, Self::FashionMnist, Self::Kmnist, Self::Usps, Self::Cifar10, Self::Svhn];

    /// The name as one writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Kmnist => "kmnist",
            Self::Usps => "usps",
            Self::Cifar10 => "cifar10",
            Self::Svhn => "svhn",
        }
    }

    /// The set of a name; `_` may stand for `-`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name.replace('_', "-"))
    }

    /// What the classes 0 to 9 show, where that is more than the digit itself.
    #[must_use]
    pub fn class_names(self) -> Option<[&'static str; 10]> {
        match self {
            Self::Mnist | Self::Usps | Self::Svhn => None,
            Self::FashionMnist => Some([
                "T-shirt/top",
                "trouser",
                "pullover",
                "dress",
                "coat",
                "sandal",
                "shirt",
                "sneaker",
                "bag",
                "ankle boot",
            ]),
            Self::Kmnist => Some(["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]),
            Self::Cifar10 => Some([
                "airplane",
                "automobile",
                "bird",
                "cat",
                "deer",
                "dog",
                "frog",
                "horse",
                "ship",
                "truck",
            ]),
        }
    }

    /// The files that [`crate::fetch::fetch`] downloads; together they hold both parts.
    #[must_use]
    pub fn files(self) -> &'static [RemoteFile] {
        match self {
            Self::Mnist => &MNIST,
            Self::FashionMnist => &FASHION_MNIST,
            Self::Kmnist => &KMNIST,
            Self::Usps => &USPS,
            Self::Cifar10 => &CIFAR10,
            Self::Svhn => &SVHN,
        }
    }

    /// The files looked for on disk, for messages.
    pub(crate) fn looked_for(self, split: Split) -> String {
        match (self, split) {
            (_, Split::Val) => "train and test only: it has no part for validation".to_owned(),
            (Self::Mnist | Self::FashionMnist | Self::Kmnist, split) => {
                let stem = if split == Split::Train { "train" } else { "t10k" };
                format!("{stem}-images-idx3-ubyte and {stem}-labels-idx1-ubyte, .gz or not,")
            }
            (Self::Usps, split) => usps_candidates(split).join(" or "),
            (Self::Cifar10, Split::Train) => {
                "data_batch_1 to data_batch_5 or cifar-10-python.tar.gz".to_owned()
            }
            (Self::Cifar10, Split::Test) => "test_batch or cifar-10-python.tar.gz".to_owned(),
            (Self::Svhn, split) => svhn_file(split).to_owned(),
        }
    }
}

impl fmt::Display for NamedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Files of USPS, best first: the unsmoothed pixels (converted from HDF5) come before the files of
/// the LIBSVM collection, whose test part is smoothed, so that both parts are of one kind.
pub(crate) fn usps_candidates(split: Split) -> [&'static str; 4] {
    match split {
        Split::Train => ["usps_h5_train.libsvm.bz2", "usps_h5_train.libsvm", "usps.bz2", "usps"],
        Split::Test | Split::Val => {
            ["usps_h5_test.libsvm.bz2", "usps_h5_test.libsvm", "usps.t.bz2", "usps.t"]
        }
    }
}

pub(crate) fn svhn_file(split: Split) -> &'static str {
    match split {
        Split::Train => "train_32x32.mat",
        Split::Test | Split::Val => "test_32x32.mat",
    }
}

const fn file(
    name: &'static str,
    urls: &'static [&'static str],
    bytes: Option<u64>,
    checksum: Checksum,
) -> RemoteFile {
    RemoteFile { name, urls, bytes, checksum }
}

const MNIST: [RemoteFile; 4] = [
    file(
        "train-images-idx3-ubyte.gz",
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
            "http://yann.lecun.com/exdb/mnist/train-images-idx3-ubyte.gz",
        ],
        Some(9_912_422),
        Checksum::Sha256("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    ),
    file(
        "train-labels-idx1-ubyte.gz",
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
            "http://yann.lecun.com/exdb/mnist/train-labels-idx1-ubyte.gz",
        ],
        Some(28_881),
        Checksum::Sha256("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    ),
    file(
        "t10k-images-idx3-ubyte.gz",
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
            "http://yann.lecun.com/exdb/mnist/t10k-images-idx3-ubyte.gz",
        ],
        Some(1_648_877),
        Checksum::Sha256("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    ),
    file(
        "t10k-labels-idx1-ubyte.gz",
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
            "http://yann.lecun.com/exdb/mnist/t10k-labels-idx1-ubyte.gz",
        ],
        Some(4_542),
        Checksum::Sha256("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
];

const FASHION_MNIST: [RemoteFile; 4] = [
    file(
        "train-images-idx3-ubyte.gz",
        &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz"],
        Some(26_421_880),
        Checksum::Sha256("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    ),
    file(
        "train-labels-idx1-ubyte.gz",
        &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz"],
        Some(29_515),
        Checksum::Sha256("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    ),
    file(
        "t10k-images-idx3-ubyte.gz",
        &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz"],
        Some(4_422_102),
        Checksum::Sha256("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    ),
    file(
        "t10k-labels-idx1-ubyte.gz",
        &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz"],
        Some(5_148),
        Checksum::Sha256("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
];

const KMNIST: [RemoteFile; 4] = [
    file(
        "train-images-idx3-ubyte.gz",
        &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-images-idx3-ubyte.gz"],
        None,
        Checksum::Sha256("51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
    ),
    file(
        "train-labels-idx1-ubyte.gz",
        &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-labels-idx1-ubyte.gz"],
        None,
        Checksum::Sha256("e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
    ),
    file(
        "t10k-images-idx3-ubyte.gz",
        &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-images-idx3-ubyte.gz"],
        Some(3_041_136),
        Checksum::Sha256("edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
    ),
    file(
        "t10k-labels-idx1-ubyte.gz",
        &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-labels-idx1-ubyte.gz"],
        Some(5_120),
        Checksum::Sha256("20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
    ),
];

const USPS: [RemoteFile; 2] = [
    file(
        "usps.bz2",
        &["https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/usps.bz2"],
        None,
        Checksum::Md5("ec16c51db3855ca6c91edd34d0e9b197"),
    ),
    file(
        "usps.t.bz2",
        &["https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/usps.t.bz2"],
        Some(1_831_726),
        Checksum::Sha256("a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e"),
    ),
];

const CIFAR10: [RemoteFile; 1] = [file(
    "cifar-10-python.tar.gz",
    &["https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"],
    Some(170_498_071),
    Checksum::Md5("c58f30108f718f92721af3b95e74349a"),
)];

const SVHN: [RemoteFile; 2] = [
    file(
        "train_32x32.mat",
        &["http://ufldl.stanford.edu/housenumbers/train_32x32.mat"],
        None,
        Checksum::Md5("e26dedcc434d2e4c54c9b2d4a06d8373"),
    ),
    file(
        "test_32x32.mat",
        &["http://ufldl.stanford.edu/housenumbers/test_32x32.mat"],
        None,
        Checksum::Md5("eb5a983be6a315427106f1b164d9cef3"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_well_formed() {
        for set in NamedSet::ALL {
            assert_eq!(NamedSet::parse(set.name()), Some(set));
            assert_eq!(NamedSet::parse(&set.name().replace('-', "_")), Some(set));
            for file in set.files() {
                assert!(!file.urls.is_empty());
                assert!(
                    file.urls.iter().all(|url| url.ends_with(&format!("/{}", file.name))),
                    "{}",
                    file.name
                );
                let (digits, length) = match file.checksum {
                    Checksum::Md5(digits) => (digits, 32),
                    Checksum::Sha256(digits) => (digits, 64),
                };
                assert_eq!(digits.len(), length);
                assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
            }
        }
        assert_eq!(NamedSet::parse("MNIST"), None);
    }
}
