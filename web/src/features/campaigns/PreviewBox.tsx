import { Loader, SegmentedControl, Select, Skeleton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { messageOf } from '@/api/problem';
import type { Campaign } from '@/api/shapes';
import classes from './Campaigns.module.css';
import { leadChoicesQuery, previewQuery } from './queries';

interface PreviewProps {
  campaign: Campaign | undefined;
  isDirty: boolean;
  variants: number;
}

/** What one person would get. */
export function PreviewBox({ campaign, isDirty, variants }: PreviewProps) {
  const [lead, setLead] = useState<string | null>(null);
  const [variant, setVariant] = useState(0);
  const canShow = Boolean(campaign?.templateId);
  return (
    <aside className={classes.preview} aria-label="Preview">
      <h2 className={classes.head}>Preview</h2>
      {!canShow && <p className={classes.note}>Choose a template and save: then you see what one person would get.</p>}
      {campaign && canShow && (
        <>
          <LeadChoice chosen={lead} onChange={setLead} />
          {variants > 1 && (
            <SegmentedControl
              aria-label="With which subject"
              value={String(variant)}
              onChange={(value) => setVariant(Number(value))}
              data={[
                { value: '0', label: 'First subject' },
                { value: '1', label: 'Second subject' },
              ]}
            />
          )}
          {isDirty && <p className={classes.note}>As it was saved last.</p>}
          <Letter campaign={campaign} lead={lead} variant={variants > 1 ? variant : 0} />
        </>
      )}
    </aside>
  );
}

function LeadChoice({ chosen, onChange }: { chosen: string | null; onChange: (lead: string | null) => void }) {
  const [search, setSearch] = useState('');
  const [needle] = useDebouncedValue(search, 250);
  const leads = useQuery(leadChoicesQuery(needle));
  return (
    <Select
      label="As this lead gets it"
      placeholder="Somebody of the audience"
      searchable
      clearable
      clearButtonProps={{ 'aria-label': 'Somebody of the audience' }}
      value={chosen}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={onChange}
      filter={({ options }) => options}
      nothingFoundMessage="Nobody found"
      rightSection={leads.isFetching && search ? <Loader size="xs" /> : undefined}
      data={(leads.data?.data ?? []).map(({ id, name, company }) => ({
        value: id,
        label: company ? `${name}, ${company}` : name,
      }))}
    />
  );
}

function Letter({ campaign, lead, variant }: { campaign: Campaign; lead: string | null; variant: number }) {
  const preview = useQuery(previewQuery(campaign.id, campaign.version, lead, variant));
  if (preview.isPending) return <Skeleton h={180} />;
  if (preview.isError) return <p className={classes.failure}>{messageOf(preview.error)}</p>;
  const { leadName, address, subject, body, html } = preview.data;
  return (
    <>
      <p className={classes.note}>
        {leadName ? `To ${leadName}, ${address ?? 'who cannot be reached by this channel'}` : 'With examples'}
      </p>
      {subject && <p className={classes.subject}>{subject}</p>}
      {html ? (
        <iframe
          className={classes.frame}
          title="The letter as a page"
          sandbox=""
          srcDoc={`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">${html}`}
        />
      ) : (
        <p className={classes.text}>{body}</p>
      )}
    </>
  );
}
