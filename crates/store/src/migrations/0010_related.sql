CREATE INDEX leads_of_contact ON leads (contact_id);
