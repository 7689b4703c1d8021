-- What was found out about the visitor of a submission, and of a lead's latest one. Beside the row that is written
-- anyway: a table of its own would be one more statement for each batch of submissions.
ALTER TABLE lead_submissions ADD COLUMN context $JSON;
ALTER TABLE leads ADD COLUMN context $JSON;
