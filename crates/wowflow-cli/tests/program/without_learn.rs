//! A build without the feature `learn`: what needs it says so, whatever its options.

use crate::support::run;

#[test]
fn commands_that_need_the_feature_name_it() {
    for line in [
        "adapt --source glyphs:letters:5 --target glyphs:digits:5 --methods mmd-sw,otdd --network cnn",
        "transfer --source glyphs:letters:5 --target glyphs:digits:2 --methods target-only --tries 1",
        "distill glyphs:digits:20 --per-class 2 --methods random --augment upright --embed=fixed",
        "reproduce transfer-mnist-fmnist --quick --methods ours",
        "reproduce --list",
    ] {
        run(line.split(' ')).refused("built with the feature learn, found one without");
    }
}
