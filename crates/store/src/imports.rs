//! Files of leads: what each is, its rows until they are worked on, and what remains of them.
//!
//! Rows wait in blocks, so that whichever node works on an import finds them, and a block is deleted in the transaction
//! that made leads of it ([`blocks`]). What putting an import back takes from the tables stands in [`undo`].

pub mod blocks;
pub mod undo;

use leadline_domain::{
    ids::{ImportId, JobId, LeadId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Dialect,
    sql::{Error, IntoParam, Page, Param, Reader, Row, Tx, json_set, params},
};

/// Counting the imports of a list stops here.
const COUNT_CAP: i64 = 10_000;

/// A file of leads.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The import.
    pub id: ImportId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// What the file is called.
    pub file_name: String,
    /// How large it was.
    pub size_bytes: i64,
    /// What it turned out to be.
    pub layout: Value,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its first rows, until it is worked on.
    pub preview: Vec<(i64, Vec<String>)>,
    /// Rows that are not blank, without the header.
    pub row_count: i64,
    /// Blocks that they were stored in.
    pub block_count: i64,
    /// What becomes of each column.
    pub rules: Value,
    /// What else was chosen.
    pub options: Value,
    /// The latest dry run.
    pub check_job_id: Option<JobId>,
    /// The job that makes leads of it.
    pub job_id: Option<JobId>,
    /// Who brought it.
    pub made_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// What is known of a file when all of it is read.
#[derive(Debug, Clone)]
pub struct ReadThrough {
    /// What it turned out to be.
    pub layout: Value,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its first rows.
    pub preview: Value,
    /// Rows that are not blank, without the header.
    pub row_count: i64,
    /// Blocks that they are stored in.
    pub block_count: i64,
    /// What stands for its set of columns.
    pub column_set: Uuid,
    /// What becomes of each column.
    pub rules: Value,
    /// What else is chosen until somebody chooses otherwise.
    pub options: Value,
}

/// What somebody chose for a set of columns the last time.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// What becomes of each column, by its name.
    pub rules: Value,
    /// What else was chosen.
    pub options: Value,
}

const SHOWN: &str = "id, workspace_id, file_name, size_bytes, row_count, block_count, check_job_id, job_id, made_by,
                     created_at";

fn columns(dialect: Dialect) -> String {
    let json = ["layout", "columns", "preview", "rules", "options"];
    let json: Vec<String> =
        json.iter().map(|name| format!("{} AS {name}_text", dialect.json_text(&format!("imports.{name}")))).collect();
    format!("{SHOWN}, {}", json.join(", "))
}

/// Adds a file that is being read.
///
/// # Errors
/// Where the database fails.
pub async fn insert(
    tx: &mut Tx,
    (workspace, id): (WorkspaceId, ImportId),
    (file_name, size_bytes): (&str, i64),
    made_by: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO imports (id, workspace_id, file_name, size_bytes, layout, columns, preview, row_count,
                                    block_count, rules, options, is_ready, made_by, created_at)
               VALUES ($1, $2, $3, $4, '{}', '[]', '[]', 0, 0, '[]', '{}', $5, $6, $7)";
    tx.execute(sql, &params![id, workspace, file_name, size_bytes, false, made_by, now]).await.map(drop)
}

/// Notes that all of a file is read.
///
/// # Errors
/// [`Error::Contended`] where it is not there any more.
pub async fn finish(tx: &mut Tx, workspace: WorkspaceId, id: ImportId, read: &ReadThrough) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE imports SET layout = {}, columns = {}, preview = {}, rules = {}, options = {}, row_count = $8,
                            block_count = $9, column_set = $10, is_ready = $11
         WHERE id = $1 AND workspace_id = $2",
        dialect.json(3),
        dialect.json(4),
        dialect.json(5),
        dialect.json(6),
        dialect.json(7),
    );
    let params = params![
        id,
        workspace,
        read.layout,
        Value::from(read.columns.clone()),
        read.preview,
        read.rules,
        read.options,
        read.row_count,
        read.block_count,
        ImportId(read.column_set),
        true,
    ];
    expect_one(tx.execute(&sql, &params).await?)
}

/// An import of the workspace, which nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: ImportId) -> Result<Option<Import>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT {} FROM imports WHERE id = $1 AND workspace_id = $2 AND is_ready {}",
        columns(dialect),
        dialect.for_update()
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Writes what becomes of the columns, and what else was chosen.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn choose(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ImportId,
    (rules, options): (&Value, &Value),
) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE imports SET rules = {}, options = {} WHERE id = $1 AND workspace_id = $2",
        dialect.json(3),
        dialect.json(4)
    );
    let [id, workspace] = params![id, workspace];
    expect_one(tx.execute(&sql, &[id, workspace, rules.param(), options.param()]).await?)
}

/// Notes which job goes through the file without changing anything.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn set_check(tx: &mut Tx, workspace: WorkspaceId, id: ImportId, job: Option<JobId>) -> Result<(), Error> {
    let sql = "UPDATE imports SET check_job_id = $3 WHERE id = $1 AND workspace_id = $2";
    expect_one(tx.execute(sql, &params![id, workspace, job]).await?)
}

/// Notes which job makes leads of the file. Its first rows are shown no more.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn set_job(tx: &mut Tx, workspace: WorkspaceId, id: ImportId, job: JobId) -> Result<(), Error> {
    let sql = "UPDATE imports SET job_id = $3, preview = '[]' WHERE id = $1 AND workspace_id = $2";
    expect_one(tx.execute(sql, &params![id, workspace, job]).await?)
}

/// An import of the workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ImportId) -> Result<Option<Import>, Error> {
    let sql =
        format!("SELECT {} FROM imports WHERE id = $1 AND workspace_id = $2 AND is_ready", columns(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// A page of the workspace's imports, the latest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, (limit, offset): (i64, i64)) -> Result<Page<Import>, Error> {
    // By `imports_of_workspace`.
    let count = format!(
        "SELECT count(*) AS n FROM
             (SELECT 1 AS one FROM imports WHERE workspace_id = $1 AND is_ready LIMIT {COUNT_CAP}) AS c"
    );
    let total = reader.count(&count, &params![workspace]).await?;
    let sql = format!(
        "SELECT {} FROM imports WHERE workspace_id = $1 AND is_ready
         ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3",
        columns(reader.dialect())
    );
    let rows = reader.query(&sql, &params![workspace, limit, offset]).await?;
    let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page { rows, total, total_is_capped: total == COUNT_CAP })
}

/// Deletes an import, whose blocks and what else there is of it are deleted already.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, ids: &[ImportId]) -> Result<u64, Error> {
    let sql = format!("DELETE FROM imports WHERE id IN {}", tx.dialect().id_list(1));
    tx.execute(&sql, &[json_set(ids)]).await
}

/// Deletes those of these imports that never began; their rows are deleted already.
///
/// # Errors
/// Where the database fails.
pub async fn delete_unbegun(tx: &mut Tx, ids: &[ImportId]) -> Result<u64, Error> {
    let sql = format!("DELETE FROM imports WHERE id IN {} AND job_id IS NULL", tx.dialect().id_list(1));
    tx.execute(&sql, &[json_set(ids)]).await
}

/// Which of these leads a job has made or changed before.
///
/// # Errors
/// Where the database fails.
pub async fn known_leads(tx: &mut Tx, job: JobId, leads: &[LeadId]) -> Result<Vec<LeadId>, Error> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    // By `job_results_of_lead`.
    let sql = format!(
        "SELECT DISTINCT lead_id FROM job_results
         WHERE lead_id IN {} AND lead_id IS NOT NULL AND job_id = $2 AND outcome = 'changed'",
        tx.dialect().id_list(1)
    );
    let [job] = params![job];
    tx.query(&sql, &[json_set(leads), job]).await?.iter().map(|row| row.get("lead_id")).collect()
}

/// Imports made before `before`, the oldest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<ImportId>, Error> {
    // By `imports_by_creation`.
    let sql = "SELECT id FROM imports WHERE created_at < $1 ORDER BY created_at LIMIT $2";
    tx.query(sql, &params![before, limit]).await?.iter().map(|row| row.get("id")).collect()
}

/// Imports made before `before` whose rows nobody needs any more, though there still are some: they were never begun, or
/// their job has ended without reaching the end.
///
/// # Errors
/// Where the database fails.
pub async fn list_abandoned(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<ImportId>, Error> {
    // By `imports_by_creation`; what is older than a month is gone, so these are few.
    let sql = "SELECT i.id FROM imports AS i
               WHERE i.created_at < $1
                     AND (EXISTS (SELECT 1 FROM import_blocks AS b WHERE b.import_id = i.id)
                          OR EXISTS (SELECT 1 FROM import_keys AS k WHERE k.import_id = i.id))
                     AND NOT EXISTS (SELECT 1 FROM jobs AS j
                                     WHERE j.id IN (i.job_id, i.check_job_id) AND j.finished_at IS NULL)
               ORDER BY i.created_at LIMIT $2";
    tx.query(sql, &params![before, limit]).await?.iter().map(|row| row.get("id")).collect()
}

/// What somebody chose the last time for these columns.
///
/// # Errors
/// Where the database fails.
pub async fn recall(reader: &Reader, workspace: WorkspaceId, columns: Uuid) -> Result<Option<Remembered>, Error> {
    let dialect = reader.dialect();
    let sql = format!(
        "SELECT {} AS rules_text, {} AS options_text FROM import_mappings WHERE workspace_id = $1 AND column_set = $2",
        dialect.json_text("rules"),
        dialect.json_text("options"),
    );
    let row = reader.query_one(&sql, &params![workspace, ImportId(columns)]).await?;
    row.map(|row| Ok(Remembered { rules: row.json("rules_text")?, options: row.json("options_text")? })).transpose()
}

/// Remembers what somebody chose for these columns.
///
/// # Errors
/// Where the database fails.
pub async fn remember(
    tx: &mut Tx,
    workspace: WorkspaceId,
    columns: Uuid,
    chosen: &Remembered,
    now: Timestamp,
) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO import_mappings (workspace_id, column_set, rules, options, used_at)
         VALUES ($1, $2, {}, {}, $5)
         ON CONFLICT (workspace_id, column_set)
         DO UPDATE SET rules = excluded.rules, options = excluded.options, used_at = excluded.used_at",
        dialect.json(3),
        dialect.json(4),
    );
    tx.execute(&sql, &params![workspace, ImportId(columns), chosen.rules, chosen.options, now]).await.map(drop)
}

/// Forgets what nobody chose since `before`.
///
/// # Errors
/// Where the database fails.
pub async fn forget(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    // By `import_mappings_by_use`.
    tx.execute("DELETE FROM import_mappings WHERE used_at < $1", &params![before]).await
}

fn expect_one(changed: u64) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

fn read(row: &Row) -> Result<Import, Error> {
    Ok(Import {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        file_name: row.get("file_name")?,
        size_bytes: row.get("size_bytes")?,
        layout: row.json("layout_text")?,
        columns: row.json("columns_text")?,
        preview: row.json("preview_text")?,
        row_count: row.get("row_count")?,
        block_count: row.get("block_count")?,
        rules: row.json("rules_text")?,
        options: row.json("options_text")?,
        check_job_id: row.get("check_job_id")?,
        job_id: row.get("job_id")?,
        made_by: row.get("made_by")?,
        created_at: row.get("created_at")?,
    })
}

/// Parameters of both kinds of statements here: an import and a number.
pub(crate) fn of_import(id: ImportId, number: i64) -> [Param; 2] {
    params![id, number]
}
