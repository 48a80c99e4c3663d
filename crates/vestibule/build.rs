//! Takes what `/api/docs` needs of Swagger UI out of the archive in the crate that carries it. Each file is packed by
//! itself, so that the binary holds it as most browsers get it; nothing comes from the network.

use std::{
    env,
    error::Error,
    fs::File,
    io::{self, Cursor},
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const WANTED: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    // With which releases are linked: of a linker cargo knows the path alone.
    println!("cargo::rerun-if-changed=../../deploy/link-in-order");
    let out = output_folder()?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for name in WANTED {
        let path = path_to(name, &archive).ok_or_else(|| format!("the archive holds no {name}"))?;
        let packed = File::create(out.join(format!("{name}.gz")))?;
        let mut packed = GzEncoder::new(packed, Compression::best());
        io::copy(&mut archive.by_name(&path)?, &mut packed)?;
        packed.finish()?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script by a variable alone"
)]
fn output_folder() -> Result<PathBuf, &'static str> {
    let folder = env::var_os("OUT_DIR");
    folder.map(PathBuf::from).ok_or("cargo named no folder")
}

/// Where a built file is in the archive, whose outermost folder bears the version.
fn path_to(name: &str, archive: &ZipArchive<Cursor<&[u8]>>) -> Option<String> {
    let end = format!("/dist/{name}");
    let mut paths = archive.file_names().filter_map(Result::ok);
    let path = paths.find(|path| path.ends_with(&end))?;
    Some(path.into_owned())
}
