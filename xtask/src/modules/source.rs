//! Reads one crate's sources: which modules there are, and which names each of them uses. Tests are left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// A module, in a file of its own or inside one.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// File that it is in, relative to `src`.
    pub(super) file: String,
    /// Modules declared in it.
    pub(super) children: BTreeSet<String>,
    /// Types, functions and whatever else is defined in it.
    pub(super) items: BTreeSet<String>,
    /// Names that `use` brings in, and the path of each.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// Modules of which `use` brings in everything.
    pub(super) globs: Vec<Vec<String>>,
    /// Paths that the code names outside `use`, single words among them, which may be types or variables.
    pub(super) uses: BTreeSet<Vec<String>>,
}

/// Modules of a crate by their paths; the root's path is empty.
pub(super) type Modules = BTreeMap<Vec<String>, Module>;

/// Reads the file of a crate's root and those of all modules that it declares.
pub(super) fn read_crate(root: &Path) -> anyhow::Result<Modules> {
    let mut modules = Modules::new();
    let folder = root.parent().unwrap_or(root);
    let mut waiting = vec![(root.to_path_buf(), folder.to_path_buf(), Vec::new())];
    while let Some((file, children, path)) = waiting.pop() {
        let text = fs::read_to_string(&file).with_context(|| format!("can't read {}", file.display()))?;
        let name = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        let found =
            read_text(&text, &name, path, &mut modules).with_context(|| format!("in {}", file.display()))?;
        for (inside, child) in found {
            let below = inside.iter().fold(children.clone(), |folder, part| folder.join(part));
            let (file, folder) = file_of(&below, &child);
            let module = modules_path(&modules, &name, &inside, child);
            waiting.push((file, folder, module));
        }
    }
    Ok(modules)
}

/// Returns the file of a module, and the folder of its children.
fn file_of(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let children = folder.join(name);
    let beside = folder.join(format!("{name}.rs"));
    (if beside.is_file() { beside } else { children.join("mod.rs") }, children)
}

fn modules_path(modules: &Modules, file: &str, inside: &[String], child: String) -> Vec<String> {
    // The shortest path with this file is the file's own module.
    let own = modules.iter().filter(|(_, module)| module.file == file).map(|(path, _)| path);
    let own = own.min_by_key(|path| path.len()).cloned().unwrap_or_default();
    own.into_iter().chain(inside.iter().cloned()).chain([child]).collect()
}

/// A module in a file of its own: the modules inside this file that lead to it, and its name.
type Declared = (Vec<String>, String);

/// Reads one file's text into its module and the modules inside it.
pub(super) fn read_text(
    text: &str,
    file: &str,
    path: Vec<String>,
    modules: &mut Modules,
) -> anyhow::Result<Vec<Declared>> {
    let tokens: TokenStream = text.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
    let depth = path.len();
    let mut reader = Reader { file, modules, path, depth, declared: Vec::new() };
    reader.module(tokens);
    Ok(reader.declared)
}

struct Reader<'a> {
    file: &'a str,
    modules: &'a mut Modules,
    /// Path of the module that is being read.
    path: Vec<String>,
    /// Number of parts of `path` that are the file's own.
    depth: usize,
    declared: Vec<Declared>,
}

impl Reader<'_> {
    fn current(&mut self) -> &mut Module {
        let file = self.file;
        let new = || Module { file: file.to_owned(), ..Module::default() };
        self.modules.entry(self.path.clone()).or_insert_with(new)
    }

    fn module(&mut self, tokens: TokenStream) {
        self.current();
        self.tokens(tokens, true);
    }

    /// Reads a run of tokens. `outside` means in a module, not in a function or type.
    fn tokens(&mut self, tokens: TokenStream, outside: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.next(&tokens, at, outside);
        }
    }

    /// Reads what begins at `at`, and returns where the next item begins.
    fn next(&mut self, tokens: &[TokenTree], at: usize, outside: bool) -> usize {
        match &tokens[at] {
            TokenTree::Group(group) => self.tokens(group.stream(), false),
            TokenTree::Punct(sign) if sign.as_char() == '#' => return self.attribute(tokens, at),
            // A field or a method.
            TokenTree::Punct(sign) if sign.as_char() == '.' => {
                return at + if is_range(tokens, at) { 1 } else { 2 };
            }
            TokenTree::Ident(word) => match (word.to_string().as_str(), tokens.get(at + 1)) {
                // A visibility uses nothing.
                ("pub", Some(TokenTree::Group(group))) if group.delimiter() == Delimiter::Parenthesis => {
                    return at + 2;
                }
                ("use", _) => return self.import(tokens, at + 1),
                ("mod", Some(TokenTree::Ident(name))) => return self.child(tokens, at + 2, &plain(name)),
                (keyword, Some(TokenTree::Ident(name)))
                    if outside
                        && matches!(
                            keyword,
                            "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union"
                        ) =>
                {
                    self.current().items.insert(plain(name));
                    return at + 2;
                }
                _ => return self.path(tokens, at),
            },
            _ => {}
        }
        at + 1
    }

    /// Skips an attribute, and with `#[cfg(test)]` the item after it.
    fn attribute(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let Some(TokenTree::Group(group)) = tokens.get(at + 1) else { return at + 1 };
        let text: String = group.stream().to_string().split_whitespace().collect();
        if !(text.starts_with("cfg(test") || text.starts_with("cfg(all(test,")) {
            self.tokens(group.stream(), false);
            return at + 2;
        }
        let mut end = at + 2;
        let import = tokens[end..].iter().take(3).any(|token| is_word(token, "use"));
        while let Some(token) = tokens.get(end) {
            end += 1;
            match token {
                TokenTree::Punct(sign) if sign.as_char() == ';' => break,
                TokenTree::Group(body) if body.delimiter() == Delimiter::Brace && !import => break,
                _ => {}
            }
        }
        end
    }

    fn child(&mut self, tokens: &[TokenTree], at: usize, name: &str) -> usize {
        self.current().children.insert(name.to_owned());
        if let Some(TokenTree::Group(body)) = tokens.get(at) {
            self.path.push(name.to_owned());
            self.module(body.stream());
            self.path.pop();
        } else {
            self.declared.push((self.path[self.depth..].to_vec(), name.to_owned()));
        }
        at + 1
    }

    /// Reads `a::b::c`, or one word.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        let mut path = Vec::new();
        while let Some(TokenTree::Ident(word)) = tokens.get(at) {
            path.push(plain(word));
            at += 1;
            if !(is_sign(tokens.get(at), ':') && is_sign(tokens.get(at + 1), ':')) {
                break;
            }
            at += 2;
        }
        self.current().uses.insert(path);
        at
    }

    fn import(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let end = (at..tokens.len()).find(|&end| is_sign(tokens.get(end), ';')).unwrap_or(tokens.len());
        self.tree(&tokens[at..end], &[]);
        end + 1
    }

    /// Reads what follows `use`, without the semicolon, below a path.
    fn tree(&mut self, tokens: &[TokenTree], above: &[String]) {
        let mut path = above.to_vec();
        let mut name = None;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(word) if *word == "as" => {
                    name = tokens.get(at + 1).map(ToString::to_string);
                    at += 1;
                }
                // `a::{self}` is `a`.
                TokenTree::Ident(word) if *word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(plain(word)),
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for one in inner.split(|token| is_sign(Some(token), ',')) {
                        self.tree(one, &path);
                    }
                    return;
                }
                TokenTree::Punct(sign) if sign.as_char() == '*' => {
                    self.current().globs.push(path);
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        if let Some(name) = name.or_else(|| path.last().cloned()) {
            self.current().imports.insert(name, path);
        }
    }
}

fn is_range(tokens: &[TokenTree], at: usize) -> bool {
    is_sign(tokens.get(at + 1), '.') || at > 0 && is_sign(tokens.get(at - 1), '.')
}

/// Returns a name without the mark of a raw identifier: `r#move` is in `move.rs`.
fn plain(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}

fn is_sign(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(sign)) if sign.as_char() == wanted)
}

fn is_word(token: &TokenTree, wanted: &str) -> bool {
    matches!(token, TokenTree::Ident(word) if *word == wanted)
}
