interface Format {
  value: string;
  label: string;
  /** What a receiver gets. */
  says: string;
}

/** The shapes that a payload can have, the usual one first. */
export const FORMATS: [Format, ...Format[]] = [
  {
    value: 'leadline',
    label: 'Leadline, version 1',
    says: 'Everything that is known of the lead and of what happened, as our documentation has it.',
  },
  {
    value: 'crm',
    label: 'CRM, flat',
    says: 'All that is known in one flat object in snake case, for CRMs behind Make and its like. Events that are about no lead keep our own shape.',
  },
  {
    value: 'whatconverts',
    label: 'WhatConverts',
    says: 'For receivers that were made for the webhooks of WhatConverts. What WhatConverts itself told of a lead goes out as it came, under the same lead id. Events that are about no lead keep our own shape.',
  },
  {
    value: 'simple',
    label: 'Simple',
    says: 'What happened, who it is and when, in seven keys. Events that are about no lead keep our own shape.',
  },
  {
    value: 'template',
    label: 'Your own template',
    says: 'JSON that you write, with placeholders for what is known of the lead.',
  },
  {
    value: 'google_ads',
    label: 'Google Ads conversions',
    says: 'Tells Google Ads when a lead that came by one of its ads reaches a step of yours: by gclid, gbraid or wbraid.',
  },
  {
    value: 'meta_capi',
    label: 'Meta Conversions API',
    says: 'Tells Meta when a lead reaches a step of yours. E-mail address and phone number leave as hashes alone.',
  },
];

export const formatOf = (value: string) => FORMATS.find((format) => format.value === value);
