import { Alert, Button, Progress, Skeleton, Table } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Campaign, CampaignOutcome } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { absoluteTime } from '@/lib/time';
import { Failure, SafeLink, Section, Time } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Campaigns.module.css';
import { Funnel, Hours } from './charts';
import { recipientsFile, reportQuery } from './queries';
import { Recipients } from './Recipients';
import { audienceWords, doneOf, funnel, isUnderWay, reasonWords, share, statusWords } from './words';

/** How far a campaign is, and what became of it. */
export function Report({ campaign }: { campaign: Campaign }) {
  const report = useQuery(reportQuery(campaign.id, isUnderWay(campaign)));
  return (
    <>
      <Standing campaign={campaign} />
      {report.isPending && <Skeleton h={280} />}
      {report.isError && !report.data && <Failure error={report.error} retry={() => void report.refetch()} />}
      {report.data && <Figures campaign={campaign} report={report.data} />}
      <Section
        title="Recipients"
        actions={
          <Button
            component="a"
            href={recipientsFile(campaign.id)}
            download
            variant="default"
            leftSection={<IconDownload size={14} />}
          >
            CSV
          </Button>
        }
      >
        <Recipients campaign={campaign} />
      </Section>
    </>
  );
}

function Standing({ campaign }: { campaign: Campaign }) {
  const { progress, state, error, startedAt, finishedAt, test, winner, decideAt, subjects } = campaign;
  const { done, all, percent } = doneOf(campaign);
  return (
    <div className={classes.progress}>
      <span className={classes.note}>
        {audienceWords(campaign)}
        {startedAt && (
          <>
            , started <Time at={startedAt} />
          </>
        )}
        {finishedAt && (
          <>
            , {state === 'cancelled' ? 'cancelled' : 'finished'} <Time at={finishedAt} />
          </>
        )}
      </span>
      {isUnderWay(campaign) && (
        <>
          <Progress value={progress.isGathering ? 0 : percent} aria-label={`${percent} % done`} />
          <span role="status">
            {progress.isGathering
              ? 'Writing down who gets it'
              : `${formatCount(done)} of ${formatCount(all)} recipients, ${formatCount(progress.waiting)} wait`}
          </span>
        </>
      )}
      {test && winner === null && decideAt && isUnderWay(campaign) && (
        <span className={classes.note}>Which subject is better is decided on {absoluteTime(decideAt)}.</span>
      )}
      {test && winner !== null && winner !== undefined && (
        <span>
          The better subject was <b>{subjects[winner] ?? ''}</b>.
        </span>
      )}
      {error && (
        <Alert color="yellow" title="Paused by itself">
          {error}. Mend that, and let it go on.
        </Alert>
      )}
    </div>
  );
}

function Figures({ campaign, report }: { campaign: Campaign; report: CampaignOutcome }) {
  const { figures, variants, hours, standing, links, machines } = report;
  const isLetter = campaign.channel === 'email';
  return (
    <>
      <div className={classes.report}>
        <section aria-label="How far it came">
          <h2>How far it came</h2>
          <Funnel steps={funnel(campaign, figures)} hasMachines={isLetter} />
          <p className={classes.note}>
            {share(figures.unsubscribed, figures.sent)} unsubscribed, {formatCount(figures.failed)} failed,{' '}
            {formatCount(figures.skipped + campaign.progress.skipped)} left out
            {figures.unknown > 0 && `, ${formatCount(figures.unknown)} of unknown outcome`}.
          </p>
        </section>
        <section aria-label={isLetter ? 'Opened and clicked by the hour' : 'Sent and read by the hour'}>
          <h2>{isLetter ? 'Opened and clicked, by the hour' : 'Sent and read, by the hour'}</h2>
          <Hours hours={hours} isLetter={isLetter} />
        </section>
        <section aria-label="How the messages stand">
          <h2>How the messages stand</h2>
          <ScrollTable label="How the messages stand">
            <Table.Tbody>
              {standing.map(({ status, reason, count }) => (
                <Table.Tr key={`${status} ${reason}`}>
                  <Cell>{statusWords(status)}</Cell>
                  <Cell className={classes.wordy}>{reasonWords(reason)}</Cell>
                  <Cell actions className={classes.number}>
                    {formatCount(count)}
                  </Cell>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </ScrollTable>
        </section>
        {isLetter && machines.length > 0 && (
          <section aria-label="Why machines were taken for machines">
            <h2>Requests that were machines’</h2>
            <ScrollTable label="Requests that were machines’">
              <Table.Tbody>
                {machines.map(({ reason, count }) => (
                  <Table.Tr key={reason}>
                    <Cell>{reasonWords(reason)}</Cell>
                    <Cell actions className={classes.number}>
                      {formatCount(count)}
                    </Cell>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </ScrollTable>
          </section>
        )}
      </div>
      {campaign.test && variants.length > 0 && (
        <Section title="Subjects">
          <ScrollTable label="Subjects">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Subject</Table.Th>
                <Table.Th ta="end">Sent</Table.Th>
                <Table.Th ta="end">Opened</Table.Th>
                <Table.Th ta="end">Clicked</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {variants.map(({ variant, subject, figures: of }) => (
                <Table.Tr key={variant}>
                  <Cell className={classes.wordy}>{subject ?? 'The template’s own'}</Cell>
                  <Cell label="Sent" className={classes.number}>
                    {formatCount(of.sent)}
                  </Cell>
                  <Cell label="Opened" className={classes.number}>
                    {share(of.humanOpens, of.sent)}
                  </Cell>
                  <Cell label="Clicked" className={classes.number}>
                    {share(of.humanClicks, of.sent)}
                  </Cell>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </ScrollTable>
        </Section>
      )}
      {links.length > 0 && (
        <Section title="Links">
          <ScrollTable label="Links">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Link</Table.Th>
                <Table.Th ta="end">People</Table.Th>
                <Table.Th ta="end">Their clicks</Table.Th>
                <Table.Th ta="end">Clicks by machines</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {links.map(({ url, people, humanClicks, machineClicks }) => (
                <Table.Tr key={url}>
                  <Cell className={classes.wordy}>
                    <SafeLink url={url ?? ''} />
                  </Cell>
                  <Cell label="People" className={classes.number}>
                    {formatCount(people)}
                  </Cell>
                  <Cell label="Their clicks" className={classes.number}>
                    {formatCount(humanClicks)}
                  </Cell>
                  <Cell label="Clicks by machines" className={classes.number}>
                    {formatCount(machineClicks)}
                  </Cell>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </ScrollTable>
        </Section>
      )}
    </>
  );
}
