//! Determines which file of a crate uses which, and what follows from that: floors and circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::source::{Module, Modules};

/// Files of a crate, and for each the files that it uses, by their numbers.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) files: Vec<String>,
    uses: Vec<BTreeSet<usize>>,
}

/// Number of aliases of aliases that are followed.
const LONGEST_CHAIN: usize = 16;

impl Graph {
    pub(super) fn new(modules: &Modules) -> Self {
        let names: BTreeSet<&str> = modules.values().map(|module| module.file.as_str()).collect();
        let files: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let numbers: BTreeMap<&str, usize> =
            files.iter().enumerate().map(|(number, file)| (file.as_str(), number)).collect();
        let mut uses = vec![BTreeSet::new(); files.len()];
        for (path, module) in modules {
            let from = numbers[module.file.as_str()];
            // An import counts where its name is used: a name that is only exported again isn't needed here. A single
            // word that is a module's name is a variable.
            let named =
                module.uses.iter().filter(|used| used.len() > 1 || !module.children.contains(&used[0]));
            let named = named.chain(&module.globs);
            for target in named.filter_map(|used| resolve(modules, path, used, 0)) {
                let to = numbers[modules[&target].file.as_str()];
                if to != from {
                    uses[from].insert(to);
                }
            }
        }
        Self { files, uses }
    }

    pub(super) fn arrows(&self) -> usize {
        self.uses.iter().map(BTreeSet::len).sum()
    }

    /// Returns the sets of more than `most` files in which each needs each other.
    pub(super) fn circles(&self, most: usize) -> Vec<Vec<&str>> {
        let mut circles: Vec<Vec<&str>> = self
            .components()
            .into_iter()
            .filter(|component| component.len() > most)
            .map(|component| component.into_iter().map(|file| self.files[file].as_str()).collect())
            .collect();
        circles.sort();
        circles
    }

    /// Returns the files from the lowest floor up: each uses only files of lower floors and of its own circle.
    pub(super) fn floors(&self) -> Vec<Vec<&str>> {
        let mut floor_of = vec![0; self.files.len()];
        let mut floors: Vec<Vec<&str>> = Vec::new();
        for component in self.components() {
            let below =
                component.iter().flat_map(|file| &self.uses[*file]).filter(|used| !component.contains(used));
            let floor = below.map(|used| floor_of[*used] + 1).max().unwrap_or(0);
            floors.resize_with(floors.len().max(floor + 1), Vec::new);
            for file in component {
                floor_of[file] = floor;
                floors[floor].push(&self.files[file]);
            }
        }
        floors.iter_mut().for_each(|floor| floor.sort_unstable());
        floors
    }

    /// Returns the files that reach one another, in sets; a set comes after all that it uses.
    fn components(&self) -> Vec<BTreeSet<usize>> {
        let reached: Vec<BTreeSet<usize>> = (0..self.files.len()).map(|file| self.reach(file)).collect();
        let mut done: BTreeSet<usize> = BTreeSet::new();
        let mut components = Vec::new();
        // Files that use fewer others come first: a file that uses a set reaches all of it, and more.
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_key(|file| reached[*file].len());
        for file in order {
            if !done.contains(&file) {
                let both = reached[file].iter().copied().filter(|other| reached[*other].contains(&file));
                let component: BTreeSet<usize> = both.collect();
                done.extend(&component);
                components.push(component);
            }
        }
        components
    }

    /// Returns the file itself and all that it uses, also through others.
    fn reach(&self, file: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([file]);
        let mut waiting = vec![file];
        while let Some(next) = waiting.pop() {
            waiting.extend(self.uses[next].iter().filter(|used| reached.insert(**used)));
        }
        reached
    }

    /// Returns a flowchart with an arrow for each use.
    pub(super) fn mermaid(&self) -> String {
        let mut text = "flowchart TD\n".to_owned();
        for (file, uses) in self.files.iter().zip(&self.uses) {
            for used in uses {
                let _ = writeln!(text, "  {file} --> {}", self.files[*used]);
            }
        }
        text
    }
}

/// Returns the module in which a path ends that is written in the module `from`; `None` if it leads out of the crate or
/// names something local.
fn resolve(modules: &Modules, from: &[String], path: &[String], chain: usize) -> Option<Vec<String>> {
    if chain > LONGEST_CHAIN {
        return None;
    }
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => follow(modules, Vec::new(), rest, chain),
        "self" => follow(modules, from.to_vec(), rest, chain),
        "super" => {
            let (_, above) = from.split_last()?;
            // `super::super::x` continues from there.
            if rest.first().is_some_and(|next| next == "super") {
                return resolve(modules, above, rest, chain + 1);
            }
            follow(modules, above.to_vec(), rest, chain)
        }
        _ => step(modules, from, first, chain).and_then(|next| match next {
            Step::Module(module) => follow(modules, module, rest, chain),
            Step::Item(module) => Some(module),
        }),
    }
}

enum Step {
    Module(Vec<String>),
    Item(Vec<String>),
}

/// Returns where a name leads that is looked up in a module; `None` if the module doesn't know it.
fn step(modules: &Modules, at: &[String], name: &str, chain: usize) -> Option<Step> {
    let module: &Module = modules.get(at)?;
    let child: Vec<String> = at.iter().cloned().chain([name.to_owned()]).collect();
    if modules.contains_key(&child) {
        return Some(Step::Module(child));
    }
    if let Some(path) = module.imports.get(name) {
        // `use x;` with the name x means something outside.
        if path.len() == 1 && path[0] == name {
            return None;
        }
        let target = resolve(modules, at, path, chain + 1)?;
        let is_module = target.last() == path.last() && !modules[&target].items.contains(name);
        return Some(if is_module { Step::Module(target) } else { Step::Item(target) });
    }
    if module.items.contains(name) {
        return Some(Step::Item(at.to_vec()));
    }
    if chain > LONGEST_CHAIN {
        return None;
    }
    module.globs.iter().find_map(|glob| {
        let target = resolve(modules, at, glob, chain + 1).filter(|target| target != at)?;
        step(modules, &target, name, chain + 1)
    })
}

/// Continues from a module along the rest of a path. A name that isn't known there belongs to it, as a macro may.
fn follow(modules: &Modules, mut at: Vec<String>, rest: &[String], chain: usize) -> Option<Vec<String>> {
    for name in rest {
        match step(modules, &at, name, chain) {
            Some(Step::Module(module)) => at = module,
            Some(Step::Item(module)) => return Some(module),
            None => break,
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::super::source::read_text;
    use super::*;

    /// Makes a crate of these files.
    fn graph(files: &[(&str, &str)]) -> Graph {
        let mut modules = Modules::new();
        for (file, text) in files {
            let stem = file.trim_end_matches(".rs");
            let path = stem.split('/').filter(|part| *part != "lib").map(str::to_owned).collect();
            read_text(text, file, path, &mut modules).unwrap();
        }
        Graph::new(&modules)
    }

    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let mermaid = graph(files).mermaid();
        mermaid.lines().skip(1).map(|line| line.trim().replace(".rs", "")).collect()
    }

    #[test]
    fn paths_lead_to_the_file_that_defines_what_they_name() {
        let root = ("lib.rs", "mod a; mod b; mod c; pub use b::{Thing, other as renamed};");
        let b = ("b.rs", "pub struct Thing; pub fn other() {}");
        for (text, expected) in [
            ("use crate::b::Thing; fn f(_: Thing) {}", "a --> b"),
            ("fn f(_: crate::b::Thing) {}", "a --> b"),
            ("fn f(_: super::b::Thing) {}", "a --> b"),
            ("fn f(_: crate::Thing) {}", "a --> b"),
            ("fn f() { crate::renamed() }", "a --> b"),
            ("use crate::b; fn f(_: b::Thing) {}", "a --> b"),
            ("use crate::b::{self, Thing}; fn f(_: Vec<b::Thing>) {}", "a --> b"),
            ("use crate::{b::{Thing as That}}; fn f(_: That) {}", "a --> b"),
            ("use crate::*; fn f(_: Thing) {}", "a --> b|a --> lib"),
            ("fn f() { println!(\"{}\", crate::b::other()) }", "a --> b"),
            ("mod inside { fn f(_: super::super::b::Thing) {} }", "a --> b"),
            ("mod inside { use super::own; fn f() { own() } } fn own() {}", ""),
            ("fn f() { crate::r#b::other() }", "a --> b"),
            // The name isn't needed here, only exported again.
            ("pub use crate::b::Thing;", ""),
            ("use other_crate::b::Thing; fn f(_: Thing) {}", ""),
            ("// crate::b\nconst X: &str = \"crate::b::Thing\";", ""),
            ("#[cfg(test)] mod tests { use crate::b::Thing; fn f(_: Thing) {} }", ""),
            ("#[cfg(test)] use crate::b::{Thing}; fn f() {}", ""),
            ("#[cfg(test)] fn g() {} fn f(_: crate::b::Thing) {}", "a --> b"),
            ("#[cfg(unix)] fn f(_: crate::b::Thing) {}", "a --> b"),
        ] {
            let found = arrows(&[root, b, ("a.rs", text), ("c.rs", "")]).join("|");
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn circles_and_floors_are_found() {
        let graph = graph(&[
            ("lib.rs", "mod a; mod b; mod c; mod d; mod e; fn f() { a::f() }"),
            ("a.rs", "pub fn f() { crate::b::f() }"),
            ("b.rs", "pub fn f() { crate::c::f() }"),
            ("c.rs", "pub fn f() { crate::d::f() }"),
            ("d.rs", "pub fn f() { crate::a::f(); crate::e::f() }"),
            ("e.rs", "pub fn f() {}"),
        ]);
        assert_eq!(graph.circles(3), [["a.rs", "b.rs", "c.rs", "d.rs"]]);
        assert!(graph.circles(4).is_empty());
        let floors = [vec!["e.rs"], vec!["a.rs", "b.rs", "c.rs", "d.rs"], vec!["lib.rs"]];
        assert_eq!(graph.floors(), floors);
        assert_eq!(graph.arrows(), 6);
    }
}
