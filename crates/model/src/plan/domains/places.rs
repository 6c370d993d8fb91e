//! The tools and places in which something is done, which say whose work it is wherever in an item they stand: "put pgbouncer
//! in front of postgres in terraform", "Give the task role `sqs:SendMessage`", "Deploy to production".

use super::{holds, normal, words::begins_making};
use crate::roster::Role;

/// Tools of one or two words.
const TOOLS: [(Role, &str); 2] = [
    (
        Role::Infrastructure,
        "terraform|terragrunt|opentofu|cloudformation|pulumi|ansible|bicep|cdk|iac|iam|docker compose|compose file|infrastructure code",
    ),
    (
        Role::Deployment,
        "helm|kubernetes|k8s|kustomize|argocd|argo cd|dockerfile|docker image|github actions|gitlab ci|circleci|jenkins|jenkinsfile|ci|\
         ci cd|ci pipeline|systemd unit|procfile",
    ),
];

/// What is no part of a tool's own files when it stands behind its name: "the Kubernetes API", "terraform state".
const NOT_OF_TOOLS: &str = "api|apis|client|clients|sdk|state|states|plan|plans|output|outputs|provider|webhook|webhooks|event|events|token|\
     tokens|user|users|log|logs|parser|library|responses|response|errors|build number|run id|status|failures|failure";

/// What is code whatever tool or service stands before it: "the SQS consumer".
const CODE: &str = "handler|handlers|client|clients|parser|parsers|endpoint|endpoints|service|consumer|consumers|producer|publisher|repository|\
     adapter|wrapper|reader|writer|integration|upload|uploads|download|downloads|support|event|events|message|messages|loader|sdk|\
     library|model|models|page|route|routes|view|job|worker|importer|exporter|listener|middleware|plugin|validator|class|function|\
     method|module|listing|urls|url|keys|key|objects|object|test|tests|mock|mocks|fake";

/// Services of a cloud, which have resources.
const SERVICES: &str = "s3|sqs|sns|dynamodb|rds|elasticache|eventbridge|cloudwatch|route53|cloudfront|kinesis|lambda|vpc|ecs|ecr|eks|aurora|\
     gcs|pubsub|bigquery|cloudflare|grafana|prometheus|alb|redis|elb|waf|kms|firehose|opensearch|msk|fargate";

/// Resources that are defined and not programmed.
const RESOURCES: &str = "bucket|buckets|queue|queues|topic|topics|schedule|schedules|rule|rules|alarm|alarms|cluster|clusters|instance|instances|\
     vpc|subnet|subnets|policy|policies|role|roles|distribution|stream|streams|replica|replicas|balancer|secret|secrets|parameter|\
     parameters|permission|permissions|table|tables|function|functions|alert|alerts|group|groups|record|records|dlq|lifecycle|s3|sqs|\
     sns|dynamodb|lambda|kinesis|rds|elasticache|cloudfront|iam|terraform|cloudformation";

/// Services of AWS as they begin the name of an action: `sqs:SendMessage`.
const ACTIONS: &str = "sqs|sns|s3|dynamodb|lambda|kms|iam|sts|ec2|ecs|ecr|logs|kinesis|secretsmanager|ssm|events|states|rds|cloudwatch|ses|\
     execute-api|apigateway|cognito-idp|athena|glue|firehose|route53";

/// Where something is deployed to.
const ENVIRONMENTS: &str = "production|prod|staging|preprod|preproduction|preproduccion|produktion|produccion|producao|produzione|prod|uat|integration";

/// What is measured where the program runs.
const METRICS: &str = "connection|connections|cpu|memory|latency|disk|p95|p99|dlq|queue|lag|error rate|errors|5xx|saturation|throughput|uptime|\
     replication|failed jobs";

/// Finds the role whose tool or place an item names as that in which it is done.
pub(in crate::plan) fn role_of_place(text: &str) -> Option<Role> {
    let text: String = text.chars().take(400).collect();
    if names_an_action(&text) {
        return Some(Role::Infrastructure);
    }
    let phrase = normal(&text);
    let all: Vec<&str> = phrase.split(' ').collect();
    let tools = || {
        let found = |at: usize| {
            let two = all.get(at..at + 2).map(|two| two.join(" "));
            let of = |name: &str| TOOLS.iter().find(|(_, names)| holds(names, name)).map(|(role, _)| *role);
            let both = two.and_then(|two| of(&two)).map(|role| (at, 2, role));
            both.or_else(|| of(all[at]).map(|role| (at, 1, role)))
        };
        (0..all.len()).filter_map(found)
    };
    let makes = begins_making(&phrase) || all.first().is_some_and(|first| holds(DOES, first));
    let head = head_of(&text);
    let head: Vec<&str> = head.split(' ').filter(|word| !word.is_empty()).collect();
    // A job of a workflow and one of Kubernetes are defined, not programmed.
    let is_code = head.last().is_some_and(|last| holds(CODE, last) && !holds("job|worker|module|function", last));
    tools().find_map(|(at, count, role)| {
        let next = all.get(at + count).copied().unwrap_or_default();
        let before = all[..at].iter().rev().find(|word| !holds("the|our|a|an|infra|your|same|existing", word));
        let is_ci = all[at].starts_with("ci");
        let is_place = before.is_some_and(|word| holds("in|into|to|via|im|en|dans|no|na|nel", word))
            || makes && before.is_some_and(|word| holds("with|using|through|mit|con|avec|com", word));
        // A flag for a tool in CI is one of that tool, and a broken test in CI is a test.
        let is_place = is_place && (!is_ci || makes && !all.iter().any(|word| holds("test|tests|flaky", word)));
        let is_named = makes && at < head.len() + 1 && !is_code && !(is_ci && at + 1 == all.len());
        let is_first = at == 0 && !is_code && !holds("is|are|was|has|runs|users", next);
        (!holds(NOT_OF_TOOLS, next) && (is_place || is_named || is_first)).then_some(role)
    })
}

/// Verbs beside those of making with which an item begins that changes something in a tool.
const DOES: &str = "put|give|grant|allow|run|turn|switch|bump|pin|cache|drop|raise|lower|increase|reduce|scale|attach|schedule|install|use";

/// Tells whether a text names an action of a cloud: `sqs:SendMessage`, `s3:*`.
fn names_an_action(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || matches!(c, '`' | ',' | '(' | ')' | '"')).any(|word| {
        word.split_once(':').is_some_and(|(service, action)| {
            holds(ACTIONS, service)
                && (action == "*" || action.starts_with(|c: char| c.is_ascii_uppercase()))
                && action.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'*')
        })
    })
}

/// Returns what an item says before it says for what, where or how, in normal form.
fn head_of(text: &str) -> String {
    let head: String = text.chars().take(120).collect::<String>().to_lowercase();
    let marks = [
        " for ", " of ", " in ", " to ", " that ", " with ", " w/ ", " on ", " and ", " when ", " so ", " using ",
        ": ", " - ", " — ", " (", ", ", ". ", " from ", " + ", " which ",
    ];
    normal(marks.iter().fold(head.as_str(), |head, mark| head.split_once(mark).map_or(head, |(before, _)| before)))
}

/// Finds that an item asks for a resource of a cloud: "Create an S3 bucket", "EventBridge schedule for expiry".
pub(super) fn asks_for_a_resource(text: &str) -> bool {
    // The name of a resource is none of its words: "an SNS topic `order-cancelled`".
    let head = head_of(&text.split('`').step_by(2).collect::<Vec<_>>().join(" "));
    let words: Vec<&str> = head.split(' ').collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    if words.len() > 8 {
        return false;
    }
    let has = |wanted: &str| words.iter().any(|word| holds(wanted, word));
    let makes = begins_making(&head) && !holds("store|save|persist|record|keep|load|handle|support|delete|move", first);
    let is_resource = holds(RESOURCES, last);
    let metrics = || normal(text).split(' ').any(|word| holds(METRICS, word));
    let is_alert = |word: &str| holds("alert|alerts|alarm|alarms", word);
    match () {
        () if *first == "provision" => true,
        () if (is_alert(first) || makes && words.iter().any(|word| is_alert(word))) && metrics() => true,
        // "bucket `labels` with 30 day expiry"
        () if *first == "bucket" && text.contains('`') => true,
        () if makes => is_resource && (has(SERVICES) || has("bucket|buckets|vpc|iam|subnet|terraform|cloudformation")),
        () => is_resource && words.len() <= 4 && words.len() > 1 && has(SERVICES),
    }
}

/// Tells whether an item asks to bring the result to where it is used: "Deploy to production", "Roll out behind a flag",
/// "Launch: canary", "Déployer en préproduction".
pub(super) fn asks_to_ship(text: &str) -> bool {
    let phrase = super::languages::fold(&normal(text)).into_owned();
    let words: Vec<&str> = phrase.split(' ').collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let second = words.get(1).copied().unwrap_or_default();
    let to_environment = || {
        let pairs = || words.windows(2).filter_map(|pair| <[&str; 2]>::try_from(pair).ok());
        pairs()
            .any(|[before, place]| holds("to|in|on|en|auf|nach|a|em|into|all|na", before) && holds(ENVIRONMENTS, place))
    };
    let is_version = || {
        let digits = second.trim_start_matches('v');
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let begins = |lead: &str| text.trim_start().to_lowercase().starts_with(lead);
    match *first {
        "deploy" | "redeploy" | "rollout" | "deployer" | "desplegar" | "implantar" | "deployar" => words.len() > 1,
        "roll" => second == "out",
        "launch" | "ship" | "promote" | "release" => {
            to_environment() || begins(&format!("{first}:")) || *first == "release" && is_version()
        }
        "canary" => words.len() <= 3 || begins("canary:") || holds("release|deployment|rollout|deploy", second),
        "enable" | "activate" | "switch" | "turn" | "flip" => to_environment(),
        "mettre" | "mise" => to_environment(),
        _ => {
            let is_runbook = holds("runbook|runbooks", head_of(text).rsplit(' ').next().unwrap_or_default());
            (is_runbook && (begins_making(&phrase) || holds("runbook|runbooks", first)))
                || holds("ausrollen|deployen|ausliefern", last)
                || ["部署到", "デプロイする"].iter().any(|words| text.contains(words))
        }
    }
}

/// Tells whether an item asks for a look at code by somebody who changes nothing: "Security review of the cancel endpoint",
/// "@emil please review the retry code".
pub(super) fn asks_to_review(text: &str) -> bool {
    const OBJECTS: &str = "the|all|our|this|these|every|each|code|pr|prs|changes|design|api|security|and|your|its|for";
    const REVIEWS: &str =
        "code|security|design|architecture|peer|quality|privacy|performance|accessibility|threat|final";
    let phrase = normal(text);
    let words: Vec<&str> =
        phrase.split(' ').skip_while(|word| holds("please|then|finally|pls|also|ask|to", word)).collect();
    let changes = || {
        // "Review and fix", "Security review with fixes"
        words
            .iter()
            .any(|word| holds("fix|fixes|address|apply|change|update|improve|add|refactor|implement|correct", word))
    };
    // What the program itself reviews is a feature: "Review the order before saving".
    let at_run_time = || super::looks::happens_at_run_time(text);
    let is_review = match words.as_slice() {
        ["review", object, ..] => holds(OBJECTS, object),
        [kind, "review", rest @ ..] | [_, kind, "review", rest @ ..] => {
            let names_it = rest.first().is_none_or(|word| holds("of|for|by|with|before|on", word));
            holds(REVIEWS, kind) && names_it && !begins_making(&phrase)
        }
        _ => false,
    };
    is_review && !changes() && !at_run_time()
}

#[cfg(test)]
mod tests {
    use super::super::role_of_words;
    use crate::roster::Role;

    #[test]
    fn the_tool_in_which_something_is_done_says_whose_it_is() {
        for text in [
            "Add Redis to terraform",
            "put pgbouncer in front of postgres in terraform, by Wed 19.3.",
            "Create S3 bucket with lifecycle rule (90 days) in Terraform",
            "Give the API task role `sqs:SendMessage` on it",
            "In `infra/terraform` a second pgbouncer pool has to be added",
            "EventBridge schedule for expiry",
            "CloudWatch alarm: more than 5 failed charges",
            "Provision a queue",
            "Add an SNS topic `order-cancelled`",
            "Attach an IAM policy to the worker",
            "bucket `labels` with 30 day expiry",
            "Add alert when > 80 % of connections in use",
            "Manage DNS via Pulumi",
        ] {
            assert_eq!(role_of_words(text), Some(Role::Infrastructure), "{text}");
        }
        for text in [
            "Add k8s CronJob",
            "CI matrix: drop 18, add 22",
            "Add a GitHub Actions job that runs lint",
            "Update the Helm values",
            "Déployer en préproduction",
            "Deploy to production",
            "Roll out behind flag 10% to 100%",
            "Launch: canary then all regions",
            "enable in staging, then prod",
            "Write the runbook",
            "Set the memory limit in the Helm chart",
            "Release 1.4",
        ] {
            assert_eq!(role_of_words(text), Some(Role::Deployment), "{text}");
        }
    }

    #[test]
    fn what_only_speaks_of_a_tool_or_a_service_is_a_feature() {
        for text in [
            "Publish to SNS when an order is cancelled",
            "Long-poll the SQS queue",
            "Parse the terraform state",
            "Endpoint that lists S3 objects",
            "Add S3 upload",
            "Add an SQS consumer",
            "Upload the export to S3",
            "Call the Kubernetes API for the pods",
            "Add a table `refunds`",
            "Create table refunds",
            "Release the lock on errors",
            "Release connections",
            "Launch the worker process",
            "Enable the flag per tenant",
            "Cache the totals in Redis",
            "Alert the user when the stock is low",
            "Add a role `support`",
            "Store the CI token",
            "Show the build number of CI",
            "Read the queue URL from the environment",
            "Emit `order:Created`",
        ] {
            assert_eq!(role_of_words(text), None, "{text}");
        }
    }

    #[test]
    fn a_review_is_no_work_that_changes_anything() {
        for text in [
            "Security review of the cancel endpoint",
            "@emil please review the retry code",
            "Review the retry code",
            "Code review",
        ] {
            assert_eq!(role_of_words(text), Some(Role::Review), "{text}");
        }
        for text in [
            "Review and fix the retry code",
            "Review the order before saving",
            "Product review endpoint",
            "Add a review form",
            "Add code review comments to the export",
            "Reviews of a product",
        ] {
            assert_eq!(role_of_words(text), None, "{text}");
        }
    }

    #[test]
    fn tests_and_commands_are_asked_for_in_many_words() {
        for text in [
            "Dee: write a test that proves that connections get released on errors",
            "add regression test w/ two workers",
            "Bo: write unit tests for pool",
            "Unit-test signing and backoff",
            "Cover the relay with unit tests",
            "Write tests for the terraform module",
        ] {
            assert_eq!(role_of_words(text), Some(Role::Tests), "{text}");
        }
        for text in
            ["Cache CLI", "We also want an `orders outbox replay` command for on-call", "Add a CLI to manage keys"]
        {
            assert_eq!(role_of_words(text), Some(Role::Cli), "{text}");
        }
        assert_eq!(role_of_words("Define the data model"), Some(Role::DataTypes));
        assert_eq!(role_of_words("Transfer: verify that the balance suffices"), None);
    }
}
