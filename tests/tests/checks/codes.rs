use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Every Rust file below `directory` that is no test.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("is a directory").flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests" && name != "target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `"MF-…-1"` in the text before the file's own tests.
fn codes(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.split('"').filter(|word| word.starts_with("MF-") && word.len() < 20).map(str::to_owned).collect()
}

/// GIVEN all codes in the sources THEN each is given in one file only, so that it means one thing. Those of the validation
/// (MF-V…) are named wherever a later stage meets the same trouble.
#[test]
fn a_code_means_one_thing() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for directory in ["crates", "bins"] {
        sources(&workspace.join(directory), &mut files);
    }
    let mut users: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        for code in codes(&std::fs::read_to_string(&file).expect("is readable")) {
            users.entry(code).or_default().push(file.clone());
        }
    }
    assert!(users.len() > 50, "the codes were not found");
    users.retain(|code, files| {
        !code.starts_with("MF-V0") && !code.starts_with("MF-V1") && !code.starts_with("MF-V2") && files.len() > 1
    });
    assert!(users.is_empty(), "{users:#?}");
}
