//! Draws crates and modules: which uses which. Fails on an arrow upward between crates and on a new circle of modules
//! inside a crate.
//!
//! A circle is a set of files in which each needs each other, directly or through others. Two or three such files, say
//! a module and its parts, are one idea in several files. With more, none of them can be read, tested or moved alone.

mod floors;
mod graph;
mod source;

use std::path::Path;

use anyhow::{Context as _, bail};
use graph::Graph;

/// Number of files up to which a circle needs no explanation.
const LARGEST_CIRCLE: usize = 3;

/// A circle that exists today. It may shrink, and may not grow.
struct KnownCircle {
    /// Crate, by its folder.
    krate: &'static str,
    /// One file in it, which identifies it.
    through: &'static str,
    /// Number of files in it.
    files: usize,
}

/// Circles that exist and are to be opened.
const KNOWN_CIRCLES: &[KnownCircle] = &[
    // The catalogue in memory and on disk hold each other's types.
    known("remotes", "fichier/catalogue/mod.rs", 6),
    // A link is listed, read and removed as the file that represents it, and each of these needs the others.
    known("remotes", "local/links.rs", 4),
    // The service's handlers get the whole emulator. It is one thing: the service.
    known("emulator", "emulator.rs", 8),
    // The kernels compute with columns, which choose a kernel.
    known("whirlpool-simd", "implementation.rs", 5),
];

const fn known(krate: &'static str, through: &'static str, files: usize) -> KnownCircle {
    KnownCircle { krate, through, files }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Draw the modules of one crate as a Mermaid flowchart instead, with an arrow for each use
    #[arg(long, value_name = "CRATE")]
    draw: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    if let Some(name) = &arguments.draw {
        print!("{}", modules_of(&crates, name)?.mermaid());
        return Ok(());
    }
    let mut faults = Vec::new();
    let mut known: Vec<&KnownCircle> = KNOWN_CIRCLES.iter().collect();
    for krate in floors::read(&crates)? {
        faults.extend(krate.faults());
        let graph = modules_of(&crates, &krate.name)?;
        println!("{krate}, {} files, {} arrows", graph.files.len(), graph.arrows());
        for (floor, files) in graph.floors().iter().enumerate() {
            println!("  {:>2}  {}", floor + 1, files.join(" "));
        }
        for circle in graph.circles(LARGEST_CIRCLE) {
            println!("  circle of {}: {}", circle.len(), circle.join(" "));
            faults.extend(judge(&krate.name, &circle, &mut known));
        }
    }
    faults.extend(known.iter().map(|gone| {
        format!(
            "the circle of crates/{} through {} is gone: take it off KNOWN_CIRCLES",
            gone.krate, gone.through
        )
    }));
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

/// Returns what is wrong with a circle. One that is known is taken off the list.
fn judge(krate: &str, circle: &[&str], known: &mut Vec<&KnownCircle>) -> Option<String> {
    let at = known.iter().position(|known| known.krate == krate && circle.contains(&known.through));
    let Some(known) = at.map(|at| known.swap_remove(at)) else {
        return Some(format!(
            "crates/{krate}: {} files need each other: {}\n  Let the lower ones do without the upper ones: see `cargo xtask modules --draw {krate}`",
            circle.len(),
            circle.join(" ")
        ));
    };
    let (was, is) = (known.files, circle.len());
    (was != is).then(|| {
        let act = if is > was { "open it again" } else { "well done: write that number into KNOWN_CIRCLES" };
        format!("crates/{krate}: the circle through {} had {was} files and has {is}: {act}", known.through)
    })
}

fn modules_of(crates: &Path, name: &str) -> anyhow::Result<Graph> {
    let folder = crates.join(name).join("src");
    let roots = ["lib.rs", "main.rs"].map(|root| folder.join(root));
    let root = roots.iter().find(|root| root.is_file());
    let root = root.with_context(|| format!("crates/{name} has neither src/lib.rs nor src/main.rs"))?;
    Ok(Graph::new(&source::read_crate(root)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_circle_may_only_shrink_and_says_so() {
        const KNOWN: KnownCircle = KnownCircle { krate: "engine", through: "run.rs", files: 5 };
        let judged = |krate, circle: &[&str]| {
            let mut known = vec![&KNOWN];
            (judge(krate, circle, &mut known), known.len())
        };
        assert_eq!(judged("engine", &["a.rs", "b.rs", "c.rs", "d.rs", "run.rs"]), (None, 0));
        let (fault, left) = judged("engine", &["a.rs", "b.rs", "c.rs", "run.rs"]);
        assert!(fault.unwrap().contains("had 5 files and has 4: well done"));
        assert_eq!(left, 0);
        let (fault, _) = judged("engine", &["a.rs", "b.rs", "c.rs", "d.rs", "e.rs", "run.rs"]);
        assert!(fault.unwrap().contains("had 5 files and has 6: open it"));
        for (krate, circle) in [("engine", ["a.rs", "b.rs"]), ("cli", ["a.rs", "run.rs"])] {
            let (fault, left) = judged(krate, &circle);
            assert!(fault.unwrap().contains("2 files need each other"));
            assert_eq!(left, 1, "the known one is still looked for");
        }
    }
}
