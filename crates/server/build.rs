//! The dashboard and the embed script are put into the binary from where their builds leave them. A checkout where
//! they were not built yet compiles too, and says so on the page.

fn main() {
    for folder in ["../../web/dist", "../../embed/dist"] {
        println!("cargo:rerun-if-changed={folder}");
        if let Err(error) = std::fs::create_dir_all(folder) {
            println!("cargo:warning={folder} cannot be made: {error}");
        }
    }
}
