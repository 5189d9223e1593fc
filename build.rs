//! Embedded folders: a new file in one of them must rebuild the program, which Cargo cannot see by itself.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
