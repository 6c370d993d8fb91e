//! The words of other languages for the sections of a plan. What is not here falls to structure and paths.
//!
//! They are in the form of [`fold`]: lower case, without accents.

use std::borrow::Cow;

use super::Fixed;
use crate::{plan::accounting::Reason, roster::Role};

const SECTIONS: [(Fixed, &str); 10] = [
    (
        Fixed::Aside(Reason::OutOfScope),
        "nicht bestandteil|kein bestandteil|nicht teil des plans|was wir nicht machen|was wir nicht tun|machen wir nicht|\
         nicht geplant|nicht gegenstand|was nicht dazugehort|nicht jetzt|bewusst nicht|ce que nous ne faisons pas|\
         ne fait pas partie|exclu|exclus|lo que no haremos|no forma parte|no incluye|o que nao faremos|nao faz parte|\
         cosa non facciamo|non fa parte|non incluso|esclusioni|esclusi|不属于本次范围|本次不做|暂不做|今回やらないこと|今回は対象外|\
         diesmal nicht|nicht in dieser runde|nicht in diesem schritt|esta vez no|no en esta ronda|desta vez nao|pas cette fois|\
         nicht im umfang|ausserhalb des umfangs|nicht ziele|nichtziele|nicht enthalten|abgrenzung|\
         fuera de alcance|fuera del alcance|no incluido|no objetivos|fora do escopo|fora de escopo|\
         nao incluido|nao objetivos|hors perimetre|hors du perimetre|hors scope|non objectifs|fuori ambito|\
         fuori scope|buiten scope|poza zakresem|вне рамок|вне области|не входит|не входит в объем|не цели|\
         不包含|不包括|非目标|非目標|范围外|範圍外|不在范围内|不在範圍內|超出范围|不做|排除|対象外|範囲外|\
         スコープ外|やらないこと|含まないもの|범위 외|범위 밖|제외|제외 사항|비목표|\
         替代方案|备选方案|其他方案|不改动|不修改|代替案|検討した代替案|verworfene alternativen|alternativen|alternativas|\
         alternatives envisagees|альтернативы|대안",
    ),
    (
        Fixed::Aside(Reason::Deferred),
        "spater|ausblick|trabajo futuro|futuro|mejoras futuras|trabalhos futuros|melhorias futuras|\
         travaux futurs|plus tard|на будущее|后续|后续工作|后续优化|未来工作|今後の課題|今後|将来の作業|\
         향후 작업|향후 과제|\
         扩展计划|后续计划|后续扩展|未来计划|未来规划|未来扩展|下一步|下一步计划|次のステップ|今後の予定|将来の拡張|nachste schritte|ideen|\
         proximos pasos|proximos passos|prochaines etapes|следующие шаги|다음 단계",
    ),
    (
        Fixed::Aside(Reason::Context),
        "hintergrund|kontext|ausgangslage|risiken|annahmen|notizen|hinweise|zeitplan|offene fragen|referenzen|\
         anhang|contexto|antecedentes|riesgos|notas|supuestos|cronograma|preguntas abiertas|referencias|\
         riscos|suposicoes|perguntas em aberto|contexte|risques|hypotheses|calendrier|questions ouvertes|\
         rischi|контекст|риски|примечания|сроки|допущения|背景|위험 요소|decisiones|decisoes|decisioni|decisions techniques|风险|風險|风险评估|风险与缓解|注意事项|备注|\
         参考|参考资料|时间表|时间线|时间安排|假设|前提|约束|现状|リスク|備考|注意事項|メモ|参考資料|\
         スケジュール|前提条件|制約|現状|배경|위험|리스크|참고|일정|가정|제약|\
         实现时间线|实施时间线|技术细节|影响|影响分析|影响评估|预期效果|预期收益|预期结果|决策|关键决策|设计决策|决策记录|风险与回滚|回滚方案|回滚计划|回滚|回退方案|关键发现|问题分析|根因分析|根因|原因|\
         原因分析|分析|现状分析|当前状态|前置条件|先决条件|技术风险|运维风险|风险分析|风险点|说明|补充说明|工作量估算|工时估算|术语|相关文档|原則|注意点|調査結果|根本原因|\
         ロールバック|ロールバック手順|ロールバック計画|影響|参照|補足|技術的な詳細|見積り|見積もり|用語|関連ドキュメント|ブランチ pr 情報|背景情報|befunde|befund|\
         ist zustand|istzustand|ist analyse|ist stand|analyse|quellen|offene punkte|technische details|\
         ruckfallplan|was bereits gut ist|schwachstellen|erkenntnisse|begrundung|glossar|aufwand|\
         aufwandsschatzung|analisis|hallazgos|estado actual|fuentes|diagnostico|analise|estado atual|\
         fontes|constat|constats|etat actuel|existant|analisi|stato attuale|анализ|текущее состояние|\
         источники|выводы|분석|현재 상태|참고 자료|\
         执行顺序|实施顺序|开发顺序|依赖关系图|优先级|実装順序|実施順序|優先順位|reihenfolge|empfohlene reihenfolge|\
         umsetzungsreihenfolge|orden de implementacion|orden de ejecucion|ordem de implementacao|\
         ordre d implementation|порядок выполнения|порядок реализации|구현 순서|실행 순서",
    ),
    (
        Fixed::Aside(Reason::Record),
        "已完成部分|已完成工作|状态|进度|变更记录|更新日志|修订记录|修改记录|计划审核|审核记录|进展|更新履歴|変更履歴|進捗|ステータス|umsetzungsstand|umsetzungsstatus|\
         stand|erledigt|anderungsverlauf|estado|historial de cambios|historico|avancement|статус|\
         история изменений|변경 이력|진행 상황",
    ),
    (
        Fixed::Context,
        "ziel|ziele|uberblick|zusammenfassung|architektur|entwurf|ansatz|losung|umfang|objetivo|objetivos|\
         resumen|descripcion|alcance|introduccion|arquitectura|diseno|enfoque|problema|motivacion|resumo|\
         descricao|escopo|visao geral|arquitetura|abordagem|objectif|objectifs|resume|perimetre|apercu|\
         approche|probleme|obiettivo|obiettivi|panoramica|цель|цели|обзор|описание|архитектура|подход|\
         проблема|目标|目標|概述|概要|简介|范围|架构|设计|方案|问题|动机|総括|目的|スコープ|設計|\
         アーキテクチャ|方針|課題|影響範囲|목표|목적|개요|범위|설계|아키텍처|문제|\
         架构设计|系统架构|系统设计|整体架构|设计方案|设计思路|技术方案|技术架构|总体设计|核心思路|方案概述|影响范围|依赖|依赖关系|技术栈|技术选型|需求来源|整体方案|項目概述|\
         项目概述|实现思路|実装方針|対応方針|基本方針|設計方針|システム構成|技術スタック|依存関係|全体像|abhangigkeiten|technologie stack|\
         zielsetzung|zielbild|dependencias|stack tecnologico|dependances|dipendenze|зависимости|기술 스택|\
         의존성|접근 방식",
    ),
    (
        Fixed::Acceptance,
        "definicao de pronto|definicion de hecho|definicion de terminado|definition of done kriterium|akzeptanzkriterien|abnahmekriterien|abnahme|erfolgskriterien|criterios de aceptacion|criterios de exito|\
         criterios de aceite|criterios de aceitacao|criterios de sucesso|criteres d acceptation|\
         criteres de succes|criteri di accettazione|критерии приемки|критерии готовности|验收标准|驗收標準|\
         验收条件|验收|成功标准|完成标准|受け入れ条件|受入条件|受け入れ基準|完了条件|完了基準|成功基準|\
         인수 조건|수용 기준|완료 조건|완료 기준|성공 기준|\
         验收清单|验收要点|完成定义|需求与验收|成功指标|完成条件确认|テスト確認事項|確認事項|確認項目|完成条件|成功条件|完了の定義|受け入れテスト|fertig wenn|\
         definition of done kriterien|lista de verificacion final|완료 정의",
    ),
    (
        Fixed::Verification(None),
        "prufung|prufungen|abschlussprufung|abschliessende prufung|qualitatsprufung|testbefehle|prufbefehle|\
         verification finale|verifications|controles|comprobacion|comprobaciones|verificaciones|verificacoes|verifiche|\
         comandos de testing|comandos de prueba|verifikation|uberprufung|verificacion|verificacao|verifica|проверка|верификация|验证|驗證|验证步骤|\
         验证方式|验证方法|验证计划|如何验证|検証|検証計画|検証方法|検証手順|動作確認|검증|검증 방법|\
         검증 계획|\
         测试验证|验证与测试|测试与验证|测试方法|验证命令|验证清单|测试命令|テスト方法|検証コマンド|確認方法|確認手順|確認コマンド|テスト手順|verifizierung|\
         validierung|wie prufen wir|wie wird gepruft|so wird gepruft|so prufen wir|wie man es pruft|verificaciones finales|\
         como comprobar|como comprobarlo|como verificarlo|como validar|como testar|comment tester|comment verifier que ca marche|\
         comment valider|come verificare|come controllare|controlli|controles finales|prufschritte|\
         как проверяем|проверки|如何检查|检查|检查方法|確認|チェック方法|확인 방법|como verificar|comandos de verificacion|comment verifier|как проверить|테스트 방법",
    ),
    (
        Fixed::Frame,
        "umsetzung|umsetzungsplan|implementierung|implementierungsplan|aufgaben|schritte|anforderungen|\
         implementacion|plan de implementacion|tareas|pasos|requisitos|cambios|implementacao|\
         plano de implementacao|plano|tarefas|etapas|passos|mudancas|plan d implementation|taches|etapes|\
         modifications|план|шаги|задачи|реализация|план реализации|этапы|требования|实施步骤|实施计划|\
         实现步骤|实现计划|实施方案|任务|任务列表|任务清单|步骤|需求|改动|变更|计划|开发计划|开发任务|\
         實施步驟|待办|実装計画|実装手順|実装|実装ステップ|タスク|タスクリスト|作業|作業内容|手順|要件|\
         変更内容|計画|구현 단계|구현 계획|구현|작업|작업 목록|단계|요구사항|\
         修改内容|具体实施|实施|实现|改造步骤|详细步骤|修改计划|修改方案|执行步骤|执行计划|行动计划|改进计划|修复计划|修复方案|开发步骤|任务分解|任务拆解|工作项|具体步骤|详细计划|\
         实施阶段|修改步骤|具体改动|改动内容|変更点|修正タスク|実装タスク|修正内容|修正手順|作業手順|対応内容|対応手順|実施手順|実装内容|実装項目|作業計画|実施計画|修正計画|\
         umsetzungsschritte|arbeitsschritte|massnahmen|massnahmenplan|vorgehen|arbeitspakete|plan|\
         pasos de implementacion|plan de trabajo|plan de accion|tareas pendientes|fases|\
         passos de implementacao|plano de acao|plano de trabalho|fases de implementacao|\
         etapes d implementation|plan d action|plan de travail|passi|piano di implementazione|piano|\
         attivita|compiti|план работ|шаги реализации|план внедрения|изменения|plan wdrozenia|zadania|\
         implementatieplan|taken|stappen|수정 사항|변경 사항|할 일",
    ),
    (
        Fixed::Files,
        "betroffene dateien|dateien|archivos afectados|archivos|arquivos afetados|arquivos|fichiers concernes|\
         fichiers|файлы|涉及文件|修改文件|文件列表|相关文件|文件清单|対象ファイル|変更ファイル|関連ファイル|\
         关键文件|修改文件清单|文件变更|文件变更清单|改动文件|新增文件|需要修改的文件|文件结构|目录结构|变更文件|変更対象ファイル|対象ファイル一覧|影響ファイル|変更ファイル一覧|\
         ファイル構成|関連するファイル|dateiliste|zu andernde dateien|archivos a modificar|archivos a crear|\
         archivos modificados|estructura de archivos|arquivos a modificar|arquivos modificados|\
         fichiers a modifier|fichiers modifies|изменяемые файлы|затронутые файлы|수정 파일|변경 파일|관련 파일",
    ),
    (
        Fixed::CrossCutting,
        "consideraciones de seguridad|sicherheitsaspekte|consideracoes de seguranca|considerations de securite|보안 고려사항|sicherheit|dokumentation|seguridad|documentacion|rendimiento|seguranca|documentacao|desempenho|\
         securite|безопасность|документация|производительность|安全|安全性|性能|文档|日志|监控|セキュリティ|\
         パフォーマンス|ドキュメント|보안|성능|문서|\
         安全考虑|安全措施|性能优化|性能考虑|错误处理|异常处理|文档更新|监控与日志|日志与监控|エラーハンドリング|エラー処理|監視|fehlerbehandlung|\
         manejo de errores|tratamento de erros|gestion des erreurs|обработка ошибок|에러 처리",
    ),
];

const ROLES: [(Role, &str); 7] = [
    (
        Role::Tests,
        "testen|testplan|modultests|unittests|automatisierte tests|testfalle|plan de pruebas|plano de testes|plan de tests|\
         piano di test|test unitari|teststrategie|komponententests|pruebas|pruebas unitarias|testes|testes unitarios|\
         tests unitaires|тесты|тестирование|юнит тесты|测试|測試|单元测试|測試計畫|测试用例|编写测试|テスト|\
         単体テスト|ユニットテスト|テスト計画|テスト戦略|테스트|단위 테스트",
    ),
    (
        Role::Validation,
        "validacion|validacao|validazione|валидация|integrationstests|pruebas de integracion|testes de integracao|tests d integration|集成测试|\
         端到端测试|手动测试|結合テスト|統合テスト|통합 테스트",
    ),
    (
        Role::Feature,
        "datenbank|geschaftslogik|base de datos|logica de negocio|banco de dados|base de donnees|бэкенд|\
         база данных|фронтенд|后端|後端|前端|接口|服务|服务层|数据库|业务逻辑|核心功能|数据迁移|バックエンド|\
         フロントエンド|データベース|ビジネスロジック|マイグレーション|백엔드|프런트엔드|프론트엔드|\
         데이터베이스",
    ),
    (
        Role::DataTypes,
        "datenmodell|datentypen|modelo de datos|tipos de datos|modelo de dados|tipos de dados|\
         modele de donnees|types de donnees|модель данных|数据模型|数据类型|类型定义|数据结构|データモデル|\
         型定義|データ型|데이터 모델",
    ),
    (
        Role::Infrastructure,
        "infrastruktur|infraestructura|infraestrutura|инфраструктура|基础设施|云资源|インフラ|인프라",
    ),
    (Role::Cli, "kommandozeile|linea de comandos|linha de comando|ligne de commande|命令行|コマンドライン"),
    (
        Role::Deployment,
        "bereitstellung|auslieferung|despliegue|implantacao|deploiement|развертывание|деплой|部署|发布|上线|\
         デプロイ|リリース|배포",
    ),
];

/// What may stand behind a word in languages without blanks and does not change what it means.
const ENDINGS: [&str; 14] = [
    "实现",
    "开发",
    "计划",
    "部分",
    "工作",
    "设置",
    "基础实现",
    "の実装",
    "実装",
    "対応",
    "建议",
    "说明",
    "方案",
    "一覧",
];
/// Words with which the heading of a section ends that is there to be read, in such languages.
const READ_ENDINGS: [&str; 4] = ["风险", "風險", "リスク", "注意事项"];

/// Takes the accents off a phrase.
pub(super) fn fold(phrase: &str) -> Cow<'_, str> {
    if phrase.is_ascii() {
        return Cow::Borrowed(phrase);
    }
    let mut folded = String::with_capacity(phrase.len());
    for c in phrase.chars() {
        match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => folded.push('a'),
            'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
            'í' | 'ì' | 'î' | 'ï' => folded.push('i'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' => folded.push('o'),
            'ú' | 'ù' | 'û' | 'ü' => folded.push('u'),
            'ç' => folded.push('c'),
            'ñ' => folded.push('n'),
            'ß' => folded.push_str("ss"),
            'ё' => folded.push('е'),
            c => folded.push(c),
        }
    }
    Cow::Owned(folded)
}

/// Tells whether a phrase is among words with bars between them.
pub(in crate::plan) fn holds(words: &str, phrase: &str) -> bool {
    words.split('|').any(|word| word == phrase)
}

/// Words with which a heading begins that says that something is no part of the plan.
const NOT_DONE: [&str; 10] = [
    "nicht bestandteil ",
    "nicht teil ",
    "nicht gegenstand ",
    "nicht in diesem ",
    "nicht in dieser ",
    "hors de ce ",
    "ne fait pas partie ",
    "no forma parte ",
    "nao faz parte ",
    "non fa parte ",
];

/// Finds what a phrase in normal form heads.
pub(super) fn fixed(phrase: &str) -> Option<Fixed> {
    let phrase = fold(phrase);
    let exact = |phrase: &str| SECTIONS.iter().find(|(_, words)| holds(words, phrase)).map(|(fixed, _)| *fixed);
    let is_read = READ_ENDINGS.iter().any(|end| phrase.ends_with(end));
    // "Vérification" is an English word but for its accent.
    let lost_an_accent = matches!(&phrase, Cow::Owned(_)) && phrase.is_ascii();
    let in_english = || lost_an_accent.then(|| super::fixed(&phrase)).flatten();
    exact(&phrase)
        .or_else(in_english)
        .or_else(|| ENDINGS.iter().find_map(|end| exact(phrase.strip_suffix(end)?.trim_end_matches('の'))))
        .or_else(|| is_read.then_some(Fixed::Aside(Reason::Context)))
        .or_else(|| {
            let is_not_done = NOT_DONE.iter().any(|begin| phrase.starts_with(begin));
            is_not_done.then_some(Fixed::Aside(Reason::OutOfScope))
        })
}

/// Tells whether a phrase in normal form heads what is wanted, and not the steps to it.
pub(super) fn heads_requirements(phrase: &str) -> bool {
    const WORDS: &str = "anforderungen|requisitos|требования|需求|要件|요구사항|plan|план|计划|計画|plano|piano";
    holds(WORDS, &fold(phrase))
}

/// Tells whether an item asks for something in the way of its language: with what it begins, or with what it ends.
pub(in crate::plan) fn asks(text: &str) -> bool {
    const BEGINS: [&str; 33] = [
        "添加", "新增", "增加", "更新", "创建", "建立", "实现", "修改", "删除", "移除", "重构", "重写", "替换", "支持",
        "使用", "将", "把", "在", "编写", "引入", "优化", "修复", "迁移", "拆分", "合并", "封装", "接入", "部署",
        "配置", "改为", "统一", "处理", "扩展",
    ];
    const ENDS: [&str; 16] = [
        "する", "追加", "作成", "更新", "削除", "変更", "実装", "修正", "対応", "除去", "整理", "移行", "추가", "구현",
        "수정", "삭제",
    ];
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    if BEGINS.iter().any(|word| text.starts_with(word)) || ENDS.iter().any(|word| text.ends_with(word)) {
        return true;
    }
    let folded = fold(text);
    let first = folded.split_whitespace().next().unwrap_or_default().to_lowercase();
    let last = folded.split_whitespace().next_back().unwrap_or_default();
    let is_word = |word: &str| word.chars().count() > 4 && word.chars().all(char::is_alphabetic);
    // "Crear …", "Implementar …", "Ajouter …", "Добавить …", and German: "… anlegen".
    let infinitive = ["ar", "ir", "er", "ть"].iter().any(|end| first.ends_with(end));
    let german = last.ends_with("en") && last.starts_with(char::is_lowercase) && folded.contains(' ');
    (is_word(&first) && infinitive) || (is_word(last) && german)
}

/// Finds the role that a phrase in normal form names.
pub(super) fn role(phrase: &str) -> Option<Role> {
    let phrase = fold(phrase);
    let exact = |phrase: &str| ROLES.iter().find(|(_, words)| holds(words, phrase)).map(|(role, _)| *role);
    exact(&phrase).or_else(|| ENDINGS.iter().find_map(|end| exact(phrase.strip_suffix(end)?)))
}

/// What an item speaks of that asks for tests.
const TESTS: [&str; 16] = [
    "modultest",
    "unittests",
    "tests schreiben",
    "pruebas para",
    "testes para",
    "test unitari",
    "单元测试",
    "單元測試",
    "単体テスト",
    "ユニットテスト",
    "단위 테스트",
    "pruebas unitarias",
    "testes unitarios",
    "tests unitaires",
    "юнит-тест",
    "unit-tests schreiben",
];

/// Finds the role that an item's words speak of.
pub(super) fn role_of_words(text: &str) -> Option<Role> {
    let head: String = text.chars().take(40).flat_map(char::to_lowercase).collect();
    let head = fold(&head);
    // "Befehl `billing export`" asks for a command, in whatever words the sentence goes on.
    const COMMANDS: &str = "befehl|unterbefehl|kommando|commande|sous-commande|comando|subcomando|sottocomando|команда";
    let is_command = head.split_once(" `").is_some_and(|(before, _)| {
        before.split(' ').count() <= 3 && before.split(' ').any(|word| holds(COMMANDS, word))
    });
    if is_command || ["命令 `", "命令`", "コマンド `", "コマンド`"].iter().any(|words| head.contains(words))
    {
        return Some(Role::Cli);
    }
    TESTS.iter().any(|words| head.contains(words)).then_some(Role::Tests)
}

/// Words that count a part of a plan, and the English one.
const COUNTED: [(&str, &str); 14] = [
    ("阶段", "phase"),
    ("階段", "phase"),
    ("フェーズ", "phase"),
    ("단계", "phase"),
    ("步骤", "step"),
    ("步驟", "step"),
    ("步", "step"),
    ("ステップ", "step"),
    ("fase", "phase"),
    ("etapa", "phase"),
    ("etape", "phase"),
    ("этап", "phase"),
    ("schritt", "step"),
    ("paso", "step"),
];
const DIGITS: [char; 10] = ['一', '二', '三', '四', '五', '六', '七', '八', '九', '十'];

/// Says in English how a heading is counted: `第一阶段：后端` is `phase 1: 后端`, and `一、背景` is `1. 背景`.
pub(in crate::plan) fn counted_in_english(heading: &str) -> Cow<'_, str> {
    let number = |text: &str| -> Option<(String, usize)> {
        let first = text.chars().next()?;
        if let Some(at) = DIGITS.iter().position(|digit| *digit == first) {
            return Some(((at + 1).to_string(), first.len_utf8()));
        }
        let len = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        (len > 0).then(|| (text[..len].to_owned(), len))
    };
    let trimmed = heading.trim_start_matches(|c: char| !c.is_alphanumeric());
    let ordinal = trimmed.strip_prefix('第').unwrap_or(trimmed);
    if let Some((count, len)) = number(ordinal) {
        let rest = &ordinal[len..];
        let word = COUNTED.iter().find_map(|(word, english)| Some((rest.strip_prefix(word)?, *english)));
        if let Some((rest, english)) = word.filter(|_| !rest.is_ascii()) {
            return Cow::Owned(format!("{english} {count}: {}", rest.trim_start_matches(['：', ':', ' ', '-', '—'])));
        }
        if let Some(rest) = rest.strip_prefix('、') {
            return Cow::Owned(format!("{count}. {}", rest.trim_start()));
        }
    }
    let lower: String = trimmed.chars().take(24).flat_map(char::to_lowercase).collect();
    let folded = fold(&lower);
    for (word, english) in COUNTED {
        let Some(rest) = folded.strip_prefix(word) else { continue };
        let Some((count, _)) = number(rest.trim_start()) else { continue };
        let Some(at) = trimmed.find(&count) else { continue };
        let rest = &trimmed[at + count.len()..];
        if rest.starts_with(char::is_alphanumeric) && rest.is_ascii() {
            continue;
        }
        return Cow::Owned(format!(
            "{english} {count}: {}",
            rest.trim_start_matches(['：', ':', ' ', '-', '–', '—', '.'])
        ));
    }
    Cow::Borrowed(heading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::domains::normal;

    #[test]
    fn every_phrase_is_in_its_form_and_means_one_thing() {
        let mut seen = std::collections::BTreeSet::new();
        let words = SECTIONS.iter().map(|(_, words)| *words).chain(ROLES.iter().map(|(_, words)| *words));
        for phrase in words.flat_map(|words| words.split('|')) {
            assert_eq!(fold(&normal(phrase)), phrase);
            assert!(seen.insert(phrase), "{phrase} is listed twice");
        }
    }

    #[test]
    fn parts_are_counted_in_any_language() {
        for (heading, expected) in [
            ("第一阶段：后端", "phase 1: 后端"),
            ("第2步 接口", "step 2: 接口"),
            ("步骤 3：测试", "step 3: 测试"),
            ("フェーズ2：テスト", "phase 2: テスト"),
            ("1단계: API", "phase 1: API"),
            ("Fase 1: Backend", "phase 1: Backend"),
            ("Étape 2 — API", "phase 2: API"),
            ("Schritt 10: Tests", "step 10: Tests"),
            ("一、背景", "1. 背景"),
            ("Phase 1: Backend", "Phase 1: Backend"),
            ("Etapas", "Etapas"),
            ("2FA", "2FA"),
        ] {
            assert_eq!(counted_in_english(heading), expected, "{heading}");
        }
    }
}
