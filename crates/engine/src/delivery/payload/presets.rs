//! Templates to begin with, for products that many people use. Each is a starting point: keys, owners and property
//! names differ from account to account.

use std::collections::BTreeMap;

use leadline_domain::destinations::{ContentType, Method};

/// A template to begin with.
#[derive(Debug, Clone)]
pub struct Preset {
    /// A stable name for programs.
    pub id: &'static str,
    /// The product.
    pub name: &'static str,
    /// What has to be done there, and what to fill in.
    pub hint: &'static str,
    /// What its address looks like.
    pub url: &'static str,
    /// The template.
    pub template: &'static str,
    /// How the body is written.
    pub content_type: ContentType,
    /// How a request is made.
    pub method: Method,
    /// Headers that it needs, with what to fill in.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Preset {
    /// Its headers by name.
    #[must_use]
    pub fn header_map(&self) -> BTreeMap<String, String> {
        self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}

const JSON_POST: Preset = Preset {
    id: "",
    name: "",
    hint: "",
    url: "",
    template: "{}",
    content_type: ContentType::Json,
    method: Method::Post,
    headers: &[],
};

/// All of them.
pub const PRESETS: [Preset; 8] = [
    Preset {
        id: "hubspot",
        name: "HubSpot",
        hint: "Makes a contact. Create a private app with the scope crm.objects.contacts.write and put its token into the header; for a public app use OAuth under Signing in, with the token address https://api.hubapi.com/oauth/v1/token. HubSpot answers 409 for a contact that it has already.",
        url: "https://api.hubapi.com/crm/v3/objects/contacts",
        template: include_str!("presets/hubspot.json"),
        headers: &[("Authorization", "Bearer YOUR-PRIVATE-APP-TOKEN")],
        ..JSON_POST
    },
    Preset {
        id: "pipedrive",
        name: "Pipedrive",
        hint: "Makes a person. Put your company's name into the address, and your API token into the header.",
        url: "https://YOUR-COMPANY.pipedrive.com/api/v1/persons",
        template: include_str!("presets/pipedrive.json"),
        headers: &[("x-api-token", "YOUR-API-TOKEN")],
        ..JSON_POST
    },
    Preset {
        id: "salesforce",
        name: "Salesforce Web-to-Lead",
        hint: "Sent as a form. Turn Web-to-Lead on and put your organisation's id into oid. Salesforce answers 200 whatever it makes of it: turn its debugging on to see.",
        url: "https://webto.salesforce.com/servlet/servlet.WebToLead?encoding=UTF-8",
        template: include_str!("presets/salesforce.json"),
        content_type: ContentType::Form,
        ..JSON_POST
    },
    Preset {
        id: "zoho",
        name: "Zoho CRM",
        hint: "Makes a lead, or updates the one with the same e-mail address. Choose the address of your data centre. Under Signing in, use OAuth with the token address https://accounts.zoho.com/oauth/v2/token, the scope ZohoCRM.modules.leads.ALL and the word Zoho-oauthtoken before the token; that takes the place of the header.",
        url: "https://www.zohoapis.com/crm/v6/Leads/upsert",
        template: include_str!("presets/zoho.json"),
        headers: &[("Authorization", "Zoho-oauthtoken YOUR-ACCESS-TOKEN")],
        ..JSON_POST
    },
    Preset {
        id: "make",
        name: "Make",
        hint: "Add a custom webhook to your scenario and paste its address. deliveryId lets the scenario call back with the id of the lead in your CRM.",
        url: "https://hook.eu1.make.com/YOUR-HOOK",
        template: include_str!("presets/make.json"),
        ..JSON_POST
    },
    Preset {
        id: "zapier",
        name: "Zapier",
        hint: "Begin a Zap with Webhooks by Zapier, Catch Hook, and paste its address.",
        url: "https://hooks.zapier.com/hooks/catch/YOUR/HOOK/",
        template: include_str!("presets/zapier.json"),
        ..JSON_POST
    },
    Preset {
        id: "slack",
        name: "Slack",
        hint: "Posts a message to a channel. Create an incoming webhook for it and paste its address.",
        url: "https://hooks.slack.com/services/YOUR/HOOK/ADDRESS",
        template: include_str!("presets/slack.json"),
        ..JSON_POST
    },
    Preset {
        id: "google_sheets",
        name: "Google Sheets",
        hint: "Adds a row by a small Apps Script of yours: its doPost(e) gives JSON.parse(e.postData.contents).row to appendRow and returns HtmlService.createHtmlOutput('ok'). What ContentService returns comes as a redirect, which counts as refused. Deploy it as a web app that anyone can reach.",
        url: "https://script.google.com/macros/s/YOUR-DEPLOYMENT/exec",
        template: include_str!("presets/google_sheets.json"),
        ..JSON_POST
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::payload::template;

    #[test]
    fn each_is_a_template_of_its_kind() {
        for preset in &PRESETS {
            let read = template::parse(preset.template, preset.content_type);

            assert!(read.is_ok(), "{}: {}", preset.id, read.expect_err("an error"));
            assert!(preset.url.starts_with("https://"), "{}", preset.id);
        }
    }
}
