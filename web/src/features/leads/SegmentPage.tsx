import { Skeleton, Switch, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { filterFieldsQuery } from '@/api/lookups';
import { messageOf, Problem } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { SegmentDetail } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { Empty, Failure, PageBody, PageHead, PermitButton, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { emptyGroup, filterJson, type Group, groupOf } from '@/ui/filter/conditions';
import { GroupFields, isWhole, knownFields } from '@/ui/filter/FilterBuilder';
import { RouteLink } from '@/ui/RouteLink';
import { toast } from '@/ui/toast';
import classes from './Segments.module.css';
import { BackToSegments } from './SegmentsPage';
import { draftCountQuery, draftExamplesQuery, segmentQuery, useSegmentWrites } from './segmentQueries';

const route = getRouteApi('/shell/segments/$segmentId');
const COUNT_DELAY_MS = 300;
/** Conditions that are empty hold of everybody. */
const EVERYBODY = { all: [] };

export function NewSegmentPage() {
  return (
    <PageBody>
      <BackToSegments />
      <PageHead title="New segment" />
      <Editor />
    </PageBody>
  );
}

export function SegmentPage() {
  const { segmentId } = route.useParams();
  const segment = useQuery(segmentQuery(segmentId));
  const isGone = segment.error instanceof Problem && segment.error.status === 404;
  return (
    <PageBody>
      <BackToSegments />
      {segment.isPending && <Skeleton h={320} mt="sm" />}
      {isGone && <Empty title="There is no such segment">It may have been deleted.</Empty>}
      {segment.isError && !isGone && !segment.data && (
        <Failure error={segment.error} retry={() => void segment.refetch()} />
      )}
      {segment.data && !isGone && (
        <>
          <PageHead title={segment.data.name} />
          {/* What somebody else changed is taken over once nothing is being edited here: by coming again. */}
          <Editor key={segment.data.id} segment={segment.data} />
        </>
      )}
    </PageBody>
  );
}

/** Name and conditions, with who they find beside them. */
function Editor({ segment }: { segment?: SegmentDetail }) {
  const navigate = useNavigate();
  const why = usePermits().why('leads:manage');
  const fields = useQuery(filterFieldsQuery);
  const [version, setVersion] = useState(segment?.version);
  const [name, setName] = useState(segment?.name ?? '');
  const [description, setDescription] = useState(segment?.description ?? '');
  const [group, setGroup] = useState<Group>(() => groupOf(segment?.filter) ?? emptyGroup());
  const [isFollowed, setIsFollowed] = useState(segment?.isFollowed ?? true);
  const [tried, setTried] = useState(false);
  const [removing, setRemoving] = useState(false);
  const { make, change, remove } = useSegmentWrites();
  const known = knownFields(fields.data ?? []);
  const filter = filterJson(group) ?? EVERYBODY;
  const complete = isWhole(group, known);
  const failure = make.error ?? change.error;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!complete || name.trim() === '') return;
    const said = { name: name.trim(), description: description.trim() || null, filter, isFollowed };
    if (segment) {
      change.mutate(
        { id: segment.id, ...said, version },
        {
          onSuccess: (next) => {
            setVersion(next.version);
            toast(`Saved ${next.name}`);
          },
        },
      );
    } else {
      make.mutate(said, {
        onSuccess: (made) => {
          toast(`Made ${made.name}`);
          void navigate({ to: '/segments/$segmentId', params: { segmentId: made.id }, replace: true });
        },
      });
    }
  };
  if (fields.isError) return <Failure error={fields.error} retry={() => void fields.refetch()} />;
  if (!fields.data) return <Skeleton h={320} />;
  return (
    <div className={classes.editor}>
      <form onSubmit={submit} className={classes.form}>
        <TextInput
          label="Name"
          required
          maxLength={80}
          data-autofocus={!segment || undefined}
          value={name}
          error={tried && name.trim() === '' ? 'Enter a name.' : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Textarea
          label="Description"
          maxLength={500}
          autosize
          minRows={1}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <section aria-label="Conditions">
          <GroupFields group={group} fields={known} depth={1} tried={tried} onChange={setGroup} />
        </section>
        <Switch
          label="Follow on timelines"
          description="Leads' timelines tell when they come into it and when they leave it, and automations can wait for that."
          checked={isFollowed}
          onChange={(event) => setIsFollowed(event.currentTarget.checked)}
        />
        {failure && (
          <div role="alert" className={classes.failure}>
            {messageOf(failure)}
          </div>
        )}
        <div className={classes.actions}>
          <PermitButton type="submit" why={why} loading={make.isPending || change.isPending}>
            {segment ? 'Save' : 'Make the segment'}
          </PermitButton>
          {segment && (
            <PermitButton variant="subtle" color="gray" why={why} onClick={() => setRemoving(true)}>
              Delete
            </PermitButton>
          )}
        </div>
      </form>
      <Found filter={filter} complete={complete} segmentId={segment?.id} />
      <Confirm
        opened={removing}
        title={`Delete ${segment?.name ?? 'the segment'}`}
        verb="Delete"
        onClose={() => setRemoving(false)}
        onConfirm={async () => {
          if (!segment) return;
          await remove.mutateAsync(segment.id);
          await navigate({ to: '/segments' });
        }}
      >
        Lists and links that ask for this segment find nothing any more. No lead is touched.
      </Confirm>
    </div>
  );
}

interface FoundProps {
  filter: Record<string, unknown>;
  complete: boolean;
  segmentId: string | undefined;
}

/** Who the conditions find, as they are being built. */
function Found({ filter, complete, segmentId }: FoundProps) {
  const [asked] = useDebouncedValue(filter, COUNT_DELAY_MS);
  const count = useQuery({ ...draftCountQuery(asked), enabled: complete });
  const examples = useQuery({ ...draftExamplesQuery(asked), enabled: complete });
  const { leadCount, leadCountIsCapped, contactCount, contactCountIsCapped } = count.data ?? {};
  return (
    <aside className={classes.found} aria-label="Who is in it">
      <div aria-live="polite">
        {!complete && <p className={classes.note}>Enter the missing values to see who matches.</p>}
        {complete && count.isError && <p className={classes.failure}>{messageOf(count.error)}</p>}
        {complete && leadCount !== undefined && (
          <>
            <p className={classes.number}>
              <strong>{formatCount(leadCount, leadCountIsCapped)}</strong> {leadCount === 1 ? 'lead' : 'leads'}
            </p>
            <p className={classes.number}>
              <strong>{formatCount(contactCount ?? 0, contactCountIsCapped)}</strong>{' '}
              {contactCount === 1 ? 'contact' : 'contacts'}
            </p>
          </>
        )}
      </div>
      {complete && (examples.data?.data ?? []).length > 0 && (
        <ul className={classes.examples}>
          {examples.data?.data.map((lead) => (
            <li key={lead.id}>
              <RouteLink to="/leads/$leadId" params={{ leadId: lead.id }}>
                {lead.name}
              </RouteLink>
              <span className={classes.note}>
                <Time at={lead.createdAt} />
              </span>
              {lead.company && <span className={`${classes.note} ${classes.company}`}>{lead.company}</span>}
            </li>
          ))}
        </ul>
      )}
      {segmentId && (
        <div className={classes.actions}>
          <RouteLink to="/leads" search={{ segmentId }}>
            Show the leads
          </RouteLink>
          <RouteLink to="/contacts" search={{ segmentId }}>
            Show the contacts
          </RouteLink>
        </div>
      )}
    </aside>
  );
}
