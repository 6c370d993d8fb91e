//! Java: Maven or Gradle, and the version.

use super::{Found, quoted, versions, with_flag};
use crate::starter::{Repository, join};

/// Installs Java on the runner.
const SETUP_JAVA: &str = "actions/setup-java@be666c2fcd27ec809703dec50e508c2fdc7f6654 # v5.2.0";

pub(super) fn java(repository: &Repository, folder: &str, found: &mut Found) {
    let at = |name: &str| join(folder, name);
    let maven = repository.has(&at("pom.xml"));
    let gradle = repository.first_in(folder, &["build.gradle", "build.gradle.kts"]);
    let (command, why) = if maven {
        let wrapper = repository.has(&at("mvnw"));
        let program = if wrapper { format!("./{}", at("mvnw")) } else { "mvn".to_owned() };
        (with_flag(&format!("{program} --batch-mode verify"), "--file", folder, "pom.xml"), at("pom.xml"))
    } else if let Some(build) = gradle {
        let wrapper = repository.has(&at("gradlew"));
        let program = if wrapper { format!("./{}", at("gradlew")) } else { "gradle".to_owned() };
        let place = if folder.is_empty() { String::new() } else { format!(" --project-dir {}", quoted(folder)) };
        (format!("{program}{place} test"), build)
    } else {
        return;
    };
    found.test(&command, format!("{why} is a Java project"));
    let (with, because) = match repository.first_in(folder, &[".java-version"]) {
        Some(file) => (("java-version-file".to_owned(), file.clone()), format!("{file} names the version")),
        None => match java_release(repository.text(&at("pom.xml"))) {
            Some(version) => (("java-version".to_owned(), version), format!("{} names the version", at("pom.xml"))),
            None => match versions::find(repository, "java") {
                Some((version, because)) => (("java-version".to_owned(), version), because),
                None => (("java-version".to_owned(), "21".to_owned()), "nothing names a version of Java".to_owned()),
            },
        },
    };
    found.language(SETUP_JAVA, vec![("distribution".to_owned(), "temurin".to_owned()), with], because);
}

fn java_release(pom: &str) -> Option<String> {
    ["maven.compiler.release", "java.version", "maven.compiler.target"].iter().find_map(|tag| {
        let (_, rest) = pom.split_once(&format!("<{tag}>"))?;
        let version = rest.split('<').next()?.trim().trim_start_matches("1.").to_owned();
        version.bytes().all(|byte| byte.is_ascii_digit()).then_some(version).filter(|version| !version.is_empty())
    })
}
