//! What holds for many operations and is therefore said in one place: names, answers that come before a handler is asked
//! and the bounds of pages.

use utoipa::{
    Number,
    openapi::{
        OpenApi, RefOr, ResponseBuilder, Schema,
        path::{Operation, Parameter},
    },
};

use crate::guard::problem;

/// Rows of a page at most, as every list has it.
const LIMIT_MAX: usize = 200;

/// Completes each operation. The document is whole after it.
pub(super) fn complete(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let place = place(path);
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(format!("{method}_{place}"));
            let is_of_the_api = path.starts_with("/v1/");
            if is_of_the_api && method != "get" {
                answers(operation, "409", "In conflict with what is there");
            }
            if operation.request_body.is_some() {
                answers(operation, "413", "The body is too large");
                answers(operation, "415", "The body is of no kind that is read here");
            }
            operation.parameters.iter_mut().flatten().for_each(bound);
        }
    }
}

/// The path in an operation's name (`patch_identity_leads_by_id`). By default the name would be the handler's, and every
/// module has a `list`; generated clients need names of their own.
fn place(path: &str) -> String {
    let steps = path.trim_start_matches("/v1").split('/').filter(|step| !step.is_empty());
    let named: Vec<String> = steps.map(|step| step.replace('{', "by_").replace('}', "").replace('-', "_")).collect();
    named.join("_")
}

fn answers(operation: &mut Operation, status: &str, description: &str) {
    let response = ResponseBuilder::new().description(description).content("application/problem+json", problem());
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response.build()));
}

fn bound(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else { return };
    match parameter.name.as_str() {
        "page" => schema.minimum = Some(Number::UInt(1)),
        "limit" => {
            schema.minimum = Some(Number::UInt(1));
            schema.maximum = Some(Number::UInt(LIMIT_MAX));
        }
        _ => {}
    }
}
