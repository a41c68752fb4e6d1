//! Random sets of filters, made from the names of the tree.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{referee::Set, tree};

/// Makes `count` sets, an equal share by each seed.
pub(crate) fn sets(seeds: &[u64], count: usize) -> Vec<Set> {
    let share = count.div_ceil(seeds.len());
    let by = |seed: &u64| {
        let mut chance = Chance(StdRng::seed_from_u64(*seed));
        (0..share).map(|_| chance.set()).collect::<Vec<_>>()
    };
    seeds.iter().flat_map(by).collect()
}

struct Chance(StdRng);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0.random_range(0..limit)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn set(&mut self) -> Set {
        let mut set = Vec::new();
        for _ in 0..=self.below(4) {
            let pattern = self.pattern();
            match self.below(8) {
                0 | 1 => set.push(format!("--include={pattern}")),
                2 | 3 => set.push(format!("--exclude={pattern}")),
                4 | 5 => set.push(format!("--filter=+ {pattern}")),
                _ => set.push(format!("--filter=- {pattern}")),
            }
        }
        let more = match self.below(16) {
            0 => "--filter=- *",
            1 => "--filter=!",
            2 => "--ignore-case",
            3 => "--max-depth=2",
            4 => "--min-size=10B",
            5 => "--max-size=1k",
            6 => "--hash-filter=1/2",
            7 => "--exclude-if-present=.skip",
            8 => "--max-age=30h",
            _ => return set,
        };
        set.push(more.to_owned());
        set
    }

    /// Makes a pattern for a path.
    fn pattern(&mut self) -> String {
        let mut pattern = self.one(&["", "", "/", "**/", "/**/"]).to_owned();
        for _ in 0..self.below(3) {
            pattern += &self.component(tree::FOLDERS);
            pattern += self.one(&["/", "/", "/", "/**/", "**", "//"]);
        }
        pattern += &self.component(tree::NAMES);
        pattern += self.one(&["", "", "", "", "/", "/**", "*", "**"]);
        pattern
    }

    /// Makes a pattern for a name, mostly for one of these.
    fn component(&mut self, names: &[&[u8]]) -> String {
        let name = names[self.below(names.len())];
        let name =
            String::from_utf8_lossy(name.rsplit(|byte| *byte == b'/').next().unwrap_or(name)).into_owned();
        match self.below(10) {
            0 => self.one(&["*", "**", "?", "*.txt", "a*", "[a-c]*", "[^a]*", "?*", "*?"]).to_owned(),
            1 => self.one(&["{a,dir}", "{*.txt,x}", "{x,}", "{a,{b,x}}", "{a/b,x}", "{**,x}"]).to_owned(),
            2 => self
                .one(&["{{[a-z.]+}}", "{{\\w+}}", "{{.*}}", "{{a|x}}", "{{(?i)a.*}}", "{{[^x]}}"])
                .to_owned(),
            3 => name.chars().map(|sign| if self.below(3) == 0 { '?' } else { sign }).collect(),
            4 => name.chars().flat_map(|sign| ['\\', sign]).collect(),
            5 => name.chars().take(1).chain(['*']).collect(),
            6 => format!("{{{name},x}}"),
            7 => format!("[{name}]"),
            _ => name,
        }
    }
}
