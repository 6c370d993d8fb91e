//! Where the interfaces of a GitHub are, from the address of its pages.

/// The addresses of REST and GraphQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The base of REST.
    pub api: String,
    /// The endpoint of GraphQL.
    pub graphql: String,
}

impl Addresses {
    /// Returns those of the GitHub whose pages are at `server`, such as `https://github.com`.
    #[must_use]
    pub fn from_server(server: &str) -> Self {
        let server = server.trim_end_matches('/');
        let host = server.split_once("://").map_or(server, |(_, host)| host);
        // github.com and the clouds of enterprises have a host of its own for it; servers have a path.
        if host == "github.com" || host.ends_with(".ghe.com") {
            let scheme = server.strip_suffix(host).filter(|scheme| !scheme.is_empty()).unwrap_or("https://");
            let api = format!("{scheme}api.{host}");
            return Self { graphql: format!("{api}/graphql"), api };
        }
        Self { api: format!("{server}/api/v3"), graphql: format!("{server}/api/graphql") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_github_has_its_addresses() {
        let of = |server: &str| {
            let Addresses { api, graphql } = Addresses::from_server(server);
            format!("{api} {graphql}")
        };
        assert_eq!(of("https://github.com/"), "https://api.github.com https://api.github.com/graphql");
        assert_eq!(of("https://octo.ghe.com"), "https://api.octo.ghe.com https://api.octo.ghe.com/graphql");
        assert_eq!(
            of("https://git.octo.example"),
            "https://git.octo.example/api/v3 https://git.octo.example/api/graphql"
        );
    }
}
