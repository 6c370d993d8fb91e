//! The words of other languages for the sections of a plan. What is not here falls to structure and paths.
//!
//! They are in the form of [`fold`]: lower case, without accents.

use std::borrow::Cow;

use super::Fixed;
use crate::{plan::accounting::Reason, roster::Role};

const SECTIONS: [(Fixed, &str); 9] = [
    (
        Fixed::Aside(Reason::OutOfScope),
        "nicht im umfang|ausserhalb des umfangs|nicht ziele|nichtziele|nicht enthalten|abgrenzung|\
         fuera de alcance|fuera del alcance|no incluido|no objetivos|fora do escopo|fora de escopo|\
         nao incluido|nao objetivos|hors perimetre|hors du perimetre|hors scope|non objectifs|fuori ambito|\
         fuori scope|buiten scope|poza zakresem|вне рамок|вне области|не входит|не входит в объем|не цели|\
         不包含|不包括|非目标|非目標|范围外|範圍外|不在范围内|不在範圍內|超出范围|不做|排除|対象外|範囲外|\
         スコープ外|やらないこと|含まないもの|범위 외|범위 밖|제외|제외 사항|비목표",
    ),
    (
        Fixed::Aside(Reason::Deferred),
        "spater|ausblick|trabajo futuro|futuro|mejoras futuras|trabalhos futuros|melhorias futuras|\
         travaux futurs|plus tard|на будущее|后续|后续工作|后续优化|未来工作|今後の課題|今後|将来の作業|\
         향후 작업|향후 과제",
    ),
    (
        Fixed::Aside(Reason::Context),
        "hintergrund|kontext|ausgangslage|risiken|annahmen|notizen|hinweise|zeitplan|offene fragen|referenzen|\
         anhang|contexto|antecedentes|riesgos|notas|supuestos|cronograma|preguntas abiertas|referencias|\
         riscos|suposicoes|perguntas em aberto|contexte|risques|hypotheses|calendrier|questions ouvertes|\
         rischi|контекст|риски|примечания|сроки|допущения|背景|风险|風險|风险评估|风险与缓解|注意事项|备注|\
         参考|参考资料|时间表|时间线|时间安排|假设|前提|约束|现状|リスク|備考|注意事項|メモ|参考資料|\
         スケジュール|前提条件|制約|現状|배경|위험|리스크|참고|일정|가정|제약",
    ),
    (
        Fixed::Context,
        "ziel|ziele|uberblick|zusammenfassung|architektur|entwurf|ansatz|losung|umfang|objetivo|objetivos|\
         resumen|descripcion|alcance|introduccion|arquitectura|diseno|enfoque|problema|motivacion|resumo|\
         descricao|escopo|visao geral|arquitetura|abordagem|objectif|objectifs|resume|perimetre|apercu|\
         approche|probleme|obiettivo|obiettivi|panoramica|цель|цели|обзор|описание|архитектура|подход|\
         проблема|目标|目標|概述|概要|简介|范围|架构|设计|方案|问题|动机|総括|目的|スコープ|設計|\
         アーキテクチャ|方針|課題|影響範囲|목표|목적|개요|범위|설계|아키텍처|문제",
    ),
    (
        Fixed::Acceptance,
        "akzeptanzkriterien|abnahmekriterien|erfolgskriterien|criterios de aceptacion|criterios de exito|\
         criterios de aceite|criterios de aceitacao|criterios de sucesso|criteres d acceptation|\
         criteres de succes|criteri di accettazione|критерии приемки|критерии готовности|验收标准|驗收標準|\
         验收条件|验收|成功标准|完成标准|受け入れ条件|受入条件|受け入れ基準|完了条件|完了基準|成功基準|\
         인수 조건|수용 기준|완료 조건|완료 기준|성공 기준",
    ),
    (
        Fixed::Verification(None),
        "verifikation|uberprufung|verificacion|verificacao|verifica|проверка|верификация|验证|驗證|验证步骤|\
         验证方式|验证方法|验证计划|如何验证|検証|検証計画|検証方法|検証手順|動作確認|검증|검증 방법|\
         검증 계획",
    ),
    (
        Fixed::Frame,
        "umsetzung|umsetzungsplan|implementierung|implementierungsplan|aufgaben|schritte|anforderungen|\
         implementacion|plan de implementacion|tareas|pasos|requisitos|cambios|implementacao|\
         plano de implementacao|plano|tarefas|etapas|passos|mudancas|plan d implementation|taches|etapes|\
         modifications|план|шаги|задачи|реализация|план реализации|этапы|требования|实施步骤|实施计划|\
         实现步骤|实现计划|实施方案|任务|任务列表|任务清单|步骤|需求|改动|变更|计划|开发计划|开发任务|\
         實施步驟|待办|実装計画|実装手順|実装|実装ステップ|タスク|タスクリスト|作業|作業内容|手順|要件|\
         変更内容|計画|구현 단계|구현 계획|구현|작업|작업 목록|단계|요구사항",
    ),
    (
        Fixed::Files,
        "betroffene dateien|dateien|archivos afectados|archivos|arquivos afetados|arquivos|fichiers concernes|\
         fichiers|файлы|涉及文件|修改文件|文件列表|相关文件|文件清单|対象ファイル|変更ファイル|関連ファイル",
    ),
    (
        Fixed::CrossCutting,
        "sicherheit|dokumentation|seguridad|documentacion|rendimiento|seguranca|documentacao|desempenho|\
         securite|безопасность|документация|производительность|安全|安全性|性能|文档|日志|监控|セキュリティ|\
         パフォーマンス|ドキュメント|보안|성능|문서",
    ),
];

const ROLES: [(Role, &str); 7] = [
    (
        Role::Tests,
        "testen|teststrategie|komponententests|pruebas|pruebas unitarias|testes|testes unitarios|\
         tests unitaires|тесты|тестирование|юнит тесты|测试|測試|单元测试|測試計畫|测试用例|编写测试|テスト|\
         単体テスト|ユニットテスト|テスト計画|テスト戦略|테스트|단위 테스트",
    ),
    (
        Role::Validation,
        "integrationstests|pruebas de integracion|testes de integracao|tests d integration|集成测试|\
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
const ENDINGS: [&str; 10] = ["实现", "开发", "计划", "部分", "工作", "设置", "基础实现", "の実装", "実装", "対応"];

/// Takes the accents off a phrase.
fn fold(phrase: &str) -> Cow<'_, str> {
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

fn holds(words: &str, phrase: &str) -> bool {
    words.split('|').any(|word| word == phrase)
}

/// Finds what a phrase in normal form heads.
pub(super) fn fixed(phrase: &str) -> Option<Fixed> {
    let phrase = fold(phrase);
    SECTIONS.iter().find(|(_, words)| holds(words, &phrase)).map(|(fixed, _)| *fixed)
}

/// Finds the role that a phrase in normal form names.
pub(super) fn role(phrase: &str) -> Option<Role> {
    let phrase = fold(phrase);
    let exact = |phrase: &str| ROLES.iter().find(|(_, words)| holds(words, phrase)).map(|(role, _)| *role);
    exact(&phrase).or_else(|| ENDINGS.iter().find_map(|end| exact(phrase.strip_suffix(end)?)))
}

/// What an item speaks of that asks for tests.
const TESTS: [&str; 10] = [
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
