//! What we upload, downloaded with GitHub's own artifact client from a service by others (`scripts/install-doubles`).

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use backend_implementer::artifacts::{ArtifactService, pack};
use serde_json::Value;

use crate::support::{action::runtime_token, doubles::file};

struct Dtu {
    child: Child,
    url: String,
}

impl Dtu {
    fn start(folder: &std::path::Path) -> Self {
        let mut child = Command::new("node")
            .arg(file("dtu.mjs"))
            .arg(folder.join("dtu"))
            .env_clear()
            .env("PATH", crate::support::path())
            .env("HOME", folder)
            .env("TMPDIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
        Self { child, url: url.expect("an address") }
    }
}

impl Drop for Dtu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn githubs_own_client_downloads_what_we_uploaded_and_finds_its_hash() {
    let bench = tempfile::tempdir().unwrap();
    let dtu = Dtu::start(bench.path());
    let from = bench.path().join("from");
    fs::create_dir_all(from.join("folder")).unwrap();
    fs::write(from.join("folder/small.txt"), "hello\n").unwrap();
    // More than two blocks of 8 MiB that cannot be packed: pseudo-random bytes.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let large: Vec<u8> = (0..20 * 1024 * 1024 / 8)
        .flat_map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()
        })
        .collect();
    fs::write(from.join("large.bin"), &large).unwrap();
    let packed = pack(&from, &bench.path().join("artifact.zip"), |_| false).unwrap();

    let variables: BTreeMap<_, _> =
        [("ACTIONS_RESULTS_URL", format!("{}/", dtu.url)), ("ACTIONS_RUNTIME_TOKEN", runtime_token("run-backend-id"))]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let service = ArtifactService::from_environment(&variables).unwrap();
    let uploaded = runtime.block_on(service.upload("backend-implementer-wave-1-0-attempt-1", &packed)).unwrap();
    assert_eq!(uploaded.digest, packed.digest);

    let download = |to: &str, hash: &str| {
        let to = bench.path().join(to);
        let output = Command::new("node")
            .arg(file("download.mjs"))
            .args([&uploaded.id.to_string(), to.to_str().unwrap(), hash])
            .env_clear()
            .env("PATH", crate::support::path())
            .env("HOME", bench.path())
            .envs(&variables)
            .env("GITHUB_WORKSPACE", bench.path())
            .output()
            .expect("node runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let last = said.lines().rfind(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{said}"));
        (to, serde_json::from_str::<Value>(last).unwrap())
    };
    let (to, said) = download("to", packed.digest.as_str());
    assert_eq!(said["digestMismatch"], false, "{said}");
    assert_eq!(fs::read(to.join("folder/small.txt")).unwrap(), b"hello\n");
    assert!(fs::read(to.join("large.bin")).unwrap() == large);
    // It does look at the hash.
    let (_, said) = download("again", &format!("sha256:{}", "0".repeat(64)));
    assert_eq!(said["digestMismatch"], true, "{said}");
}
