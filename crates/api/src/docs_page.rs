//! `/api/docs`: the OpenAPI document as one page that fetches nothing from anywhere.

use std::fmt::Write as _;
use utoipa::openapi::OpenApi;

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Undertone API</title><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}code,pre{font:14px/1.5 ui-monospace,monospace;\
overflow-wrap:anywhere}a{color:#0b4fa0}a:focus-visible{outline:3px solid currentColor}\
section{border-top:1px solid #ccc;padding:.5rem 0}h2 b{display:inline-block;min-width:5rem}\
h2{font-size:1.1rem}pre{background:#f4f4f4;padding:.5rem;overflow:auto}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}pre{background:#222}\
a{color:#8ab8ff}}\
</style><h1>Undertone API</h1><p>Send <code>Authorization: Bearer ut_…</code>. Errors are \
<code>application/problem+json</code>. The same for machines: \
<a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>";

pub(crate) fn render(document: &OpenApi) -> String {
    let json = serde_json::to_value(document).unwrap_or_default();
    let mut page = String::from(HEAD);
    let none = serde_json::Map::new();
    for (path, methods) in json["paths"].as_object().unwrap_or(&none) {
        for (method, operation) in methods.as_object().unwrap_or(&none) {
            operation_section(&mut page, path, method, operation);
        }
    }
    page.push_str("<h1>Shapes</h1>");
    for (name, schema) in json["components"]["schemas"].as_object().unwrap_or(&none) {
        let text = serde_json::to_string_pretty(schema).unwrap_or_default();
        let name = escaped(name);
        let _ = write!(
            page,
            "<section id=\"{name}\"><h2>{name}</h2><pre>{}</pre></section>",
            escaped(&text)
        );
    }
    page.push_str("</html>\n");
    page
}

fn operation_section(page: &mut String, path: &str, method: &str, operation: &serde_json::Value) {
    let text = |value: &serde_json::Value| escaped(value.as_str().unwrap_or_default());
    let _ = write!(
        page,
        "<section><h2><b>{}</b> <code>{}</code></h2><p>{} {}</p><ul>",
        escaped(&method.to_uppercase()),
        escaped(path),
        text(&operation["summary"]),
        text(&operation["description"]),
    );
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let _ = write!(
            page,
            "<li><code>{}</code> ({}) {}",
            text(&parameter["name"]),
            text(&parameter["in"]),
            text(&parameter["description"]),
        );
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        let _ = write!(page, "<li>body: {}", shape(body));
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let content = response["content"].as_object().into_iter().flatten();
        let kinds: Vec<_> = content
            .map(|(kind, media)| format!("{} {}", escaped(kind), shape(&media["schema"])))
            .collect();
        let what = text(&response["description"]);
        let _ = write!(page, "<li>{}: {what} {}", escaped(status), kinds.join(", "));
    }
    page.push_str("</ul></section>");
}

fn shape(schema: &serde_json::Value) -> String {
    match schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        Some(name) => format!("<a href=\"#{0}\">{0}</a>", escaped(name)),
        None => format!("<code>{}</code>", escaped(&schema.to_string())),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
