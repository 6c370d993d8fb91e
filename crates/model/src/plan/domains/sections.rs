//! What headings call the sections that are no task: phrases in the form of [`normal`](super::normal), with bars between them.

/// What headings call the commands that verify the result.
pub(super) const VERIFICATION: &str = "verification|verification commands|verification command|verify|verification steps|verification plan|\
     how to verify|checks|verification checks|verification gates|gates|quality gates|gate commands|\
     verification and checks|checks and verification|commands to verify|verification and testing|\
     testing and verification|final verification|verification checklist|how to test|validation loop|\
     validation gates|validation and testing|test commands|testing commands|testing instructions|\
     how to validate|smoke check|verification loop|test plan and verification|pre merge checks|\
     post implementation verification|validation and acceptance|how to check|how to check it|how to verify it|how to test it|\
     how we check|how we check it|how we verify|how we verify it|how we test it|how we will check|how we will verify|\
     how do we check|how do we verify|how do we know it works|how we know it works|how to know it works|\
     how to confirm|how to run the checks|running the checks|run the checks|check commands|checks to run|final checks|\
     before you push|before pushing|before merging|before you merge|before you commit|before you open the pr";

/// What headings call the acceptance criteria.
pub(super) const ACCEPTANCE: &str = "acceptance criteria|acceptance|success criteria|definition of done|done when|acceptance criterion|\
     exit criteria|acceptance checklist|completion criteria|acceptance conditions|success criterion|criteria|\
     independent test criteria|given when then|final validation checklist|final checklist|done criteria|dod|\
     success definition|validation criteria|expected outcome|expected outcomes|expected results|\
     completion checklist|sign off criteria|success conditions|release criteria|what done looks like";

/// Sections about what holds for all of the work: somebody builds it, and the reviewer looks at it.
pub(super) const CROSS_CUTTING: &str = "security|security considerations|security requirements|security hardening|privacy|compliance|performance|\
     performance considerations|performance requirements|performance optimization|performance optimisation|\
     scalability|reliability|logging|monitoring|observability|metrics|logging and monitoring|\
     monitoring and logging|monitoring and observability|telemetry|alerting|documentation|docs|\
     documentation updates|error handling|error handling and validation|backward compatibility|\
     backwards compatibility|compatibility|accessibility|internationalization|localization|polish|\
     polish and cross cutting concerns|cross cutting concerns|non functional requirements|\
     nonfunctional requirements|quality attributes";

/// Sections that list files which the work itself names.
pub(super) const FILES: &str = "files|file map|files to modify|files to change|files to create|files to edit|files to touch|\
     files to create and modify|files to create or modify|files to create modify|files to modify create|\
     files to modify and create|files modified|files changed|files affected|affected files|critical files|\
     key files|relevant files|file structure|file summary|files summary|file change summary|file changes|\
     project structure|changed files|modified files|new files|code files|source files|files involved|\
     files to add|files to update|files to delete|files to remove|files overview|files created|files touched|\
     affected files and modules|file list and changes|touched files|file inventory|files to reference|\
     reference files|files to read|existing files|files and components|file plan";

/// Sections that are not to be done: never work, whatever is below them.
pub(super) const OUT_OF_SCOPE: &str = "out of scope|not in scope|non goals|nongoals|non goal|not included|excluded|exclusions|\
     what we are not doing|what were not doing|what we re not doing|not doing|alternatives|\
     alternatives considered|rejected alternatives|rejected|left aside|explicitly out of scope|\
     out of scope for now|will not do|wont do|won t do|not planned|what is not included|what s not included|\
     whats not included|anti goals|not part of this plan|dropped|cancelled|canceled|options considered|\
     considered alternatives|alternative approaches|rejected approaches|rejected options|\
     out of scope follow ups|what not to do|do not|won t|wont|not covered|non scope|anti patterns|\
     anti patterns to avoid|things to avoid|not now|not yet|not this time|not today|not for now|left out|\
     explicitly not|won t have|wont have|won t have this time|won t have for now|won t this time|explicitly excluded|we will not do|we won t do|we are not doing|we don t do";

/// Sections that are put off.
pub(super) const DEFERRED: &str = "future work|future|future enhancements|future improvements|future considerations|follow ups|follow up|\
     followups|later|deferred|deferred work|backlog|postponed|next steps|nice to have|nice to haves|\
     stretch goals|phase 2 ideas|later phases|future phases|out of scope for v1|icebox|parking lot|\
     possible extensions|next phase|next phases|next iteration|future scope|future ideas|ideas for later|\
     future extensions|post mvp|later ideas|planned follow ups|enhancements for later|out of scope for mvp|\
     next plan";

/// Sections that explain how the plan is written, or in which order it is to be read.
pub(super) const LEGENDS: &str = "format|legend|path conventions|conventions|how to use this plan|how to read this plan|parallel example|\
     parallel examples|parallel opportunities|parallel execution|parallel execution examples|\
     implementation strategy|dependencies and execution order|dependency graph|execution flow|\
     task generation rules|validation checklist|table of contents|task dependency graph|phase dependencies|\
     story dependencies";

/// Sections that record what was done, or are to be filled in.
pub(super) const RECORDS: &str = "dev agent record|agent model used|debug log references|debug log|completion notes list|completion notes|\
     file list|change log|changelog|qa results|review findings|senior developer review|\
     senior developer review ai|status|progress|progress log|history|revision history|done|done so far|already shipped|finished|shipped|done already|completed|\
     what was done|already done|already implemented|previous phases complete|completed phases|completed work|\
     completed tasks|completed items|previous work|prior work|session log|work log|execution log|\
     implementation log|update log|review log|retrospective|surprises and discoveries|\
     outcomes and retrospective|decision record|plan review|document history|version history";

/// Sections that are only there to be read: nothing below them is work but what has a box.
pub(super) const ASIDES: &str = "open items|preconditions|preconditions and inputs|prerequisites and inputs|task summary|task overview|\
     timeline|schedule|estimates|effort estimate|risks|risk|risks and mitigations|risk assessment|\
     risk mitigation|open questions|questions|references|appendix|rollback plan|rollback|rollback strategy|\
     assumptions|glossary|notes|note|dev notes|developer notes|implementation notes|technical notes|rationale|\
     constraints|global constraints|context|background|examples|example|links|prerequisites|current state|\
     current behavior|current behaviour|existing code|root cause|findings|decisions|key decisions|\
     design decisions|story|user story|drawbacks|unresolved questions|trade offs|tradeoffs|prior art|\
     pros and cons|limitations|known limitations|considerations|further considerations|benefits|discussion|\
     lessons learned|open issues|caveats|warnings|important notes|analysis|current implementation|\
     current architecture|existing patterns|key findings|decision log|estimated effort|effort|stakeholders|\
     faq|related work|related issues|why this approach|what already exists|insights|key insights|learnings|\
     context links|current codebase tree|desired codebase tree|gotchas|known gotchas|\
     known gotchas and library quirks|known issues|pitfalls|common pitfalls|documentation and references|\
     all needed context|sources|further reading|see also|resources and references|related documents|\
     related documentation|related docs|tech notes|side notes|quick notes|extra notes|engineering notes|reused code|reusable code|code to reuse|\
     existing code to reuse|related files|related prs|cost|costs|cost estimate|cost analysis|\
     budget|team|estimate|time estimate|time estimates|estimated timeline|confidence score|confidence|\
     environment|environment notes|git workflow|branch strategy|branch|contingency|contingency plan|\
     contingencies|mitigations|risk register|risk analysis|risk matrix|mitigation strategies|\
     rollback procedure|rollback procedures|research findings|diagnosis|root cause analysis|symptoms|\
     reproduction|steps to reproduce|observations|what exists|what exists today|what we have|\
     what s there today|existing state|current system|current architecture analysis|\
     current implementation analysis|gap analysis|baseline|precedents|terminology|definitions|vocabulary|\
     decisions made|decisions needed|confirmed decisions|locked decisions|resolved questions|\
     clarifications|input|inputs|invariants|key principles|principles|guiding principles|design principles|\
     rules|ground rules|reminders|tips|idempotence and recovery|orientation|context and orientation|\
     justification|consequences|considered options|options|decision drivers|drivers|positive consequences|\
     negative consequences|pros and cons of the options|why now|user value|business value|value|personas|evidence|expected impact|\
     expected benefits|before and after|before after|comparison|blast radius|complexity tracking|\
     constitution check|recommended order|suggested order|implementation order|order of implementation|\
     build order|order of work|order of execution|recommended implementation order|\
     suggested implementation order|suggested execution order|recommended sequence|sequence|sequencing|\
     critical path|task dependencies|dependency order|execution strategy|commit strategy|commit plan|\
     merge order|rollout order|prioritization|priority order|priority matrix|current status|status update|\
     implementation status|progress tracking|progress tracker|progress summary|task progress|sign off|\
     approval|approvals|verification log|test results|metadata|outcomes|what we found|what i found|\
     what we know|key insight|complexity audit|decisions and rationale|release notes|watch out|watch out for|\
     things to watch out for|things to watch|attempts|what we tried|what was tried|tried already|what i tried|discussions|conversation";

/// Sections that say what it is about. Their own items are no work, but work may stand below them; and where a plan has
/// none anywhere else, they are the work.
pub(super) const CONTEXTS: &str = "overview|executive summary|goals|goal|summary|introduction|scope|in scope|objective|objectives|design|\
     technical design|architecture|architecture overview|high level design|dependencies|execution order|\
     description|purpose|problem|problem statement|motivation|approach|technical approach|proposed approach|\
     implementation approach|proposal|solution|proposed solution|tech stack|technology stack|\
     technical context|user stories|success metrics|why|what|impact|strategy|data flow|interfaces|\
     system architecture|solution overview|solution design|proposed design|design overview|\
     architecture design|architecture decisions|design approach|proposed architecture|target architecture|\
     target state|big picture|purpose and big picture|background and goals|vision|scope and goals|\
     what we re building|what we are building|what this does|how it works|technical overview|\
     technical specification|technical specifications|technical details|concept|key concepts|core concepts|\
     user flow|user flows|workflow|flow|sequence diagram|kpis|stack|technologies";

/// Sections that frame the plan. Work stands below them.
pub(super) const FRAMES: &str = "subagents|agents|phases|foundation|quality|quality assurance|readiness|tasks and subtasks|tasks subtasks|\
     subagent assignments|step by step|implementation details|development phases|development tasks|milestones|\
     to do|checklist|task checklist|master checklist|tasks to complete|work breakdown structure|workstreams|\
     work packages|what to build|what to do|what to change|what changes|fixes|detailed changes|\
     summary of changes|changes needed|refactoring steps|open tasks|pending tasks|outstanding work|epics|\
     stories|subtasks|improvement plan|roadmap|implementation roadmap|development roadmap|\
     implementation order and tasks";

/// Sections that hold the work and nothing else: what stands in them is work although it is only text.
pub(super) const WORK_FRAMES: &str = "bite sized tasks|plan|implementation plan|implementation|execution plan|tasks|task list|todo|todos|\
     task breakdown|deliverables|steps|implementation steps|implementation tasks|work items|action items|\
     changes|proposed changes|requirements|functional requirements|plan of work|concrete steps|work plan|\
     action plan|development plan|detailed plan|detailed steps|step by step plan|step by step implementation|\
     implementation blueprint|implementation checklist|implementation sequence|implementation phases|\
     todo list|to do list|list of tasks|list of tasks to complete|work breakdown|planned changes|\
     required changes|code changes|changes required|remaining work|remaining tasks|refactor plan|fix plan|\
     remediation plan|decision|the decision|our decision|decision outcome";
