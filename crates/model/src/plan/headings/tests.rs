//! Tests of what headings name.

use super::*;
use crate::plan::{
    blocks::{self, Block},
    tests::roster,
};

fn show(markdown: &str) -> String {
    let document = blocks::read(markdown, 0..markdown.len());
    let Some(Block::Heading { line, .. }) = document.blocks.first() else { panic!("{markdown} is no heading") };
    let heading = HeadingReader::new(&roster(), std::iter::empty()).read(line);
    let names = match heading.names {
        Names::Subagent(who) => format!("subagent {} ({})", who.name, who.id_stem),
        Names::Role(role, _) => format!("role {}", role.title()),
        Names::VacantRole(role) => format!("vacant {}", role.title()),
        Names::Several(_) => "several".to_owned(),
        Names::Unknown { name, nearest } => format!("unknown {name} ({nearest:?})"),
        Names::Fixed(fixed) => format!("{fixed:?}"),
        Names::Other => "other".to_owned(),
    };
    let id = heading.id.map(|id| format!(" id={id}")).unwrap_or_default();
    format!("{markdown}  =>  {names}{id} {:?}{}", heading.title, if heading.is_phase { " phase" } else { "" })
}

#[test]
fn headings_are_read_as_planners_write_them() {
    let headings = [
        "# `backend-datatypes`",
        "### 3) `backend-cli-implementer`: users command",
        "## backend-feature-implementer",
        "## Backend Feature Implementer",
        "## Data Types (`backend-datatypes`)",
        "## Task 2.1 — CLI → `backend-cli-implementer`",
        "## Subagent: backend-validation-agent",
        "## `db-migrator`",
        "## Phase 2: Feature Implementation",
        "## 🚀 4. Deployment",
        "## **Infrastructure**",
        "## IV. Tests",
        "## A. Code Review",
        "## [ ] Infrastructure",
        "## Step 1 - Data Model (tabularium)",
        "## API: GET /users/{id}",
        "## Feature: PATCH /users/:id {#users-patch}",
        "## Feature (id: `users-patch`)",
        "## Types & Validation",
        "## API and business logic",
        "## Infrastructure & Data Types",
        "## 2FA endpoint",
        "## Integration Testing",
        "## Verification Commands",
        "## Validation commands",
        "## Definition of Done:",
        "## Out-of-scope",
        "## Implementation Plan",
        "## Infrastrucure",
        "## backend-feature",
        "## `backend-fetaure-implementer`",
        "## `user-service`",
        "## `src/user-service.py`",
        "## Data flow",
        "## Steps to reproduce",
        "## Notes",
        "## Documentation",
        "## Why we feature this in the command line of our tests and not somewhere else entirely, says the planner",
        "##",
        "## 1.",
        "## Phase 1",
    ];
    insta::assert_snapshot!(headings.map(show).join("\n"), @r#"
    # `backend-datatypes`  =>  subagent backend-datatypes (data-types) "backend-datatypes"
    ### 3) `backend-cli-implementer`: users command  =>  subagent backend-cli-implementer (cli) "users command"
    ## backend-feature-implementer  =>  subagent backend-feature-implementer (feature) "backend-feature-implementer"
    ## Backend Feature Implementer  =>  subagent backend-feature-implementer (feature) "backend-feature-implementer"
    ## Data Types (`backend-datatypes`)  =>  subagent backend-datatypes (data-types) "Data Types"
    ## Task 2.1 — CLI → `backend-cli-implementer`  =>  subagent backend-cli-implementer (cli) "CLI"
    ## Subagent: backend-validation-agent  =>  subagent backend-validation-agent (validation) "backend-validation-agent"
    ## `db-migrator`  =>  subagent db-migrator (db-migrator) "db-migrator"
    ## Phase 2: Feature Implementation  =>  role Feature "Feature Implementation" phase
    ## 🚀 4. Deployment  =>  role Deployment "Deployment"
    ## **Infrastructure**  =>  role Infrastructure "Infrastructure"
    ## IV. Tests  =>  role Tests "Tests"
    ## A. Code Review  =>  role Review "Code Review"
    ## [ ] Infrastructure  =>  role Infrastructure "Infrastructure"
    ## Step 1 - Data Model (tabularium)  =>  role Data Types "Data Model (tabularium)"
    ## API: GET /users/{id}  =>  role Feature "GET /users/{id}"
    ## Feature: PATCH /users/:id {#users-patch}  =>  role Feature id=users-patch "PATCH /users/:id"
    ## Feature (id: `users-patch`)  =>  role Feature id=users-patch "Feature"
    ## Types & Validation  =>  role Data Types "Types & Validation"
    ## API and business logic  =>  role Feature "API and business logic"
    ## Infrastructure & Data Types  =>  several "Infrastructure & Data Types"
    ## 2FA endpoint  =>  other "2FA endpoint"
    ## Integration Testing  =>  role Validation "Integration Testing"
    ## Verification Commands  =>  Verification(None) "Verification Commands"
    ## Validation commands  =>  Verification(Some(Validation)) "Validation commands"
    ## Definition of Done:  =>  Acceptance "Definition of Done:"
    ## Out-of-scope  =>  Aside(OutOfScope) "Out-of-scope"
    ## Implementation Plan  =>  Frame "Implementation Plan"
    ## Infrastrucure  =>  unknown Infrastrucure (Some("Infrastructure")) "Infrastrucure"
    ## backend-feature  =>  role Feature "backend-feature"
    ## `backend-fetaure-implementer`  =>  unknown backend-fetaure-implementer (Some("backend-feature-implementer")) "backend-fetaure-implementer"
    ## `user-service`  =>  other "user-service"
    ## `src/user-service.py`  =>  other "src/user-service.py"
    ## Data flow  =>  Context "Data flow"
    ## Steps to reproduce  =>  Aside(Context) "Steps to reproduce"
    ## Notes  =>  Aside(Context) "Notes"
    ## Documentation  =>  CrossCutting "Documentation"
    ## Why we feature this in the command line of our tests and not somewhere else entirely, says the planner  =>  other "Why we feature this in the command line of our tests and not somewhere else entirely, says the planner"
    ##  =>  other ""
    ## 1.  =>  other ""
    ## Phase 1  =>  other "" phase
    "#);
}
