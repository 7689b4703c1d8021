import { Button, Menu, Skeleton } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Problem } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Campaign } from '@/api/shapes';
import { absoluteTime } from '@/lib/time';
import { Empty, Failure, PageBody, PageHead, PermitButton, State } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { toast, toastError } from '@/ui/toast';
import { Editor } from './Editor';
import { campaignQuery, type Step, useCampaignWrites } from './queries';
import { Report } from './Report';
import { isOpen, isUnderWay, stateWords } from './words';

const route = getRouteApi('/shell/campaigns/$campaignId');

const Back = () => (
  <Button component={Link} to="/campaigns" variant="subtle" size="compact-sm" ml={-8}>
    All campaigns
  </Button>
);

export function NewCampaignPage() {
  return (
    <PageBody>
      <Back />
      <PageHead title="New campaign" />
      <Editor />
    </PageBody>
  );
}

/** One campaign: while it is written, while it goes out, and what became of it. */
export function CampaignPage() {
  const { campaignId } = route.useParams();
  const campaign = useQuery(campaignQuery(campaignId));
  const isGone = campaign.error instanceof Problem && campaign.error.status === 404;
  return (
    <PageBody>
      <Back />
      {campaign.isPending && <Skeleton h={320} mt="sm" />}
      {isGone && <Empty title="There is no such campaign">It may have been deleted.</Empty>}
      {campaign.isError && !isGone && !campaign.data && (
        <Failure error={campaign.error} retry={() => void campaign.refetch()} />
      )}
      {campaign.data && !isGone && (
        <>
          <PageHead title={campaign.data.name} note={<StateNote campaign={campaign.data} />}>
            <Actions campaign={campaign.data} />
          </PageHead>
          {isOpen(campaign.data) ? (
            // What somebody else changed is taken over by coming again: nothing is lost of what is being written.
            <Editor key={campaign.data.id} campaign={campaign.data} />
          ) : (
            <Report campaign={campaign.data} />
          )}
        </>
      )}
    </PageBody>
  );
}

function StateNote({ campaign }: { campaign: Campaign }) {
  const { word, color } = stateWords(campaign.state);
  const when = campaign.state === 'scheduled' && campaign.startsAt ? `: ${absoluteTime(campaign.startsAt)}` : '';
  return (
    <State color={color}>
      {word}
      {when}
    </State>
  );
}

interface Turn {
  verb: string;
  step: Step;
  said: string;
}

/** Pausing and going on are one button, so that the focus stays on it when the one becomes the other. */
function turnOf({ name, state }: Campaign): Turn | null {
  if (state === 'running') return { verb: 'Pause', step: 'pause', said: `${name} is paused: nothing more goes out` };
  if (state === 'scheduled') return { verb: 'Back to draft', step: 'pause', said: `${name} is a draft again` };
  if (state === 'paused') return { verb: 'Go on', step: 'resume', said: `${name} goes on` };
  return null;
}

function Actions({ campaign }: { campaign: Campaign }) {
  const navigate = useNavigate();
  const why = usePermits().why('messaging:send');
  const [asked, setAsked] = useState<'cancel' | 'delete' | null>(null);
  const { steer, copy, remove } = useCampaignWrites();
  const { id, name, state } = campaign;
  const turn = turnOf(campaign);
  const go = (step: Step, said: string) =>
    steer.mutate(
      { id, step },
      { onSuccess: () => toast(said), onError: (error) => toastError(`${name} was not changed`, error) },
    );
  const copied = (followUp: boolean) =>
    copy.mutate(
      { id, followUp },
      {
        onSuccess: (made) => void navigate({ to: '/campaigns/$campaignId', params: { campaignId: made.id } }),
        onError: (error) => toastError(`${name} was not copied`, error),
      },
    );
  return (
    <>
      {turn && (
        <PermitButton
          variant={state === 'paused' ? 'filled' : 'default'}
          why={why}
          loading={steer.isPending}
          onClick={() => go(turn.step, turn.said)}
        >
          {turn.verb}
        </PermitButton>
      )}
      {state === 'finished' && (
        <PermitButton why={why} loading={copy.isPending} onClick={() => copied(true)}>
          Follow up
        </PermitButton>
      )}
      {!why && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" aria-label="More actions" px="xs">
              <IconDots size={16} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => copied(false)}>Copy as a draft</Menu.Item>
            {(isUnderWay(campaign) || state === 'scheduled') && (
              <Menu.Item color="red" onClick={() => setAsked('cancel')}>
                Cancel…
              </Menu.Item>
            )}
            {!isUnderWay(campaign) && (
              <Menu.Item color="red" onClick={() => setAsked('delete')}>
                Delete…
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      <Confirm
        opened={asked === 'cancel'}
        title={`Cancel ${name}`}
        verb="Cancel the campaign"
        onClose={() => setAsked(null)}
        onConfirm={() => steer.mutateAsync({ id, step: 'cancel' })}
      >
        Whoever has not got it will not. This cannot be taken back; a copy can be sent instead.
      </Confirm>
      <Confirm
        opened={asked === 'delete'}
        title={`Delete ${name}`}
        verb="Delete"
        onClose={() => setAsked(null)}
        onConfirm={async () => {
          await remove.mutateAsync(id);
          await navigate({ to: '/campaigns' });
        }}
      >
        Its report goes with it. The messages stay with the leads.
      </Confirm>
    </>
  );
}
