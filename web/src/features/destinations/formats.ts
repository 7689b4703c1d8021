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
    value: 'whatconverts',
    label: 'WhatConverts',
    says: 'For receivers that were made for the webhooks of WhatConverts. What WhatConverts itself told of a lead goes out as it came, under the same lead id. Events that are about no lead keep our own shape.',
  },
];

export const formatOf = (value: string) => FORMATS.find((format) => format.value === value);
