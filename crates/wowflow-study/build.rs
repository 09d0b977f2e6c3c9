//! Records what studies are built from and for: the revision ("unknown" outside a checkout; a build from files that
//! differ from it says so) and the platform.

use std::env;
use std::process::Command;

fn main() {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let sources = [":/crates", ":/Cargo.toml", ":/Cargo.lock"];
    let changes = git(&[&["status", "--porcelain", "--untracked-files=no", "--"], &sources[..]].concat());
    let modified = if changes.is_none_or(|found| found.is_empty()) { "" } else { "-modified" };
    let revision = git(&["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=WOWFLOW_REVISION={revision}{modified}");
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    println!("cargo:rustc-env=WOWFLOW_PLATFORM={}-{}", target("ARCH"), target("OS"));
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    for path in ["..", "../../Cargo.toml", "../../Cargo.lock"] {
        println!("cargo:rerun-if-changed={path}");
    }
}
