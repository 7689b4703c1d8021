//! Header values with parameters, such as `form-data; name="a"; filename="b.png"`.

/// A value and its parameters. Names of parameters are in lower case.
#[derive(Debug, PartialEq, Eq)]
pub struct HeaderWithParameters {
    /// What stands before the first semicolon, in lower case.
    pub value: String,
    parameters: Vec<(String, String)>,
}

impl HeaderWithParameters {
    /// Reads a header's value. What cannot be understood is passed over.
    pub fn parse(text: &str) -> Self {
        let (value, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let mut parameters = Vec::new();
        while let Some((name, after)) = rest.split_once('=') {
            // A parameter without a value may stand before this one.
            let name = name.rsplit(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let (value, after) = parameter_value(after.trim_start());
            parameters.push((name, value));
            rest = after;
        }
        Self { value: value.trim().to_ascii_lowercase(), parameters }
    }

    /// The first parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One value, quoted or not, and what follows its semicolon. Only `\"` is an escape inside quotes: old
/// browsers send the backslashes of Windows paths as they are.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let bytes = quoted.as_bytes();
    let mut end = 0;
    while end < bytes.len() && bytes[end] != b'"' {
        let escape = bytes[end] == b'\\' && bytes.get(end + 1) == Some(&b'"');
        end += if escape { 2 } else { 1 };
    }
    let value = quoted[..end].replace("\\\"", "\"");
    let rest = quoted[end..].split_once(';').map_or("", |(_, rest)| rest);
    (value, rest)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Text/Plain", "text/plain", "charset", None)]
    #[case("text/plain; Charset=UTF-8", "text/plain", "charset", Some("UTF-8"))]
    #[case("a; charset=\"x y\" ; boundary=b", "a", "boundary", Some("b"))]
    #[case("form-data; name=\"a;b=\\\"c\\\"\"; filename=\"d\"", "form-data", "name", Some("a;b=\"c\""))]
    #[case("form-data; name=\"a\"; filename=\"C:\\dir\\x.png\"", "form-data", "filename", Some("C:\\dir\\x.png"))]
    #[case("form-data; name=\"never closed", "form-data", "name", Some("never closed"))]
    #[case("form-data; name=\"ends in a backslash\\", "form-data", "name", Some("ends in a backslash\\"))]
    #[case("form-data; flag; name=a", "form-data", "name", Some("a"))]
    #[case("; ;=;\"", "", "name", None)]
    fn parameters_are_read(
        #[case] text: &str,
        #[case] value: &str,
        #[case] name: &str,
        #[case] parameter: Option<&str>,
    ) {
        let header = HeaderWithParameters::parse(text);

        assert_eq!((header.value.as_str(), header.parameter(name)), (value, parameter));
    }
}
