"""Things to test with, whose safe defaults leave a test to say only what matters."""

from __future__ import annotations

#: Two who are always on duty, one on call, a duty officer, a team leader, a head of service.
SMALL_TOWN = """\
service: {name: Small town, area: {wards: [Bromley Town, Hayes & Coney Hall], postcode_districts: [BR1, BR2]}, hotline: "+442079460001"}
sla:
  respond_within: PT2H
  accept_within: PT15M
  warn_at: [50%, 75%, 90%]
  coverage: always
lone_worker: {check_in_every: PT30M, then: [duty_officer, team_leader]}
responders:
  - {id: asha, name: Asha Patel, phones: {sms: "+447700900101", voice: "+447700900101"}, skills: [doorstep_crime, scam], wards: [Bromley Town]}
  - {id: ben, name: Ben Osei, phones: {sms: "+447700900102", voice: "+447700900102"}, skills: [doorstep_crime, scam]}
  - {id: cat, name: Cat Lewis, phones: {sms: "+447700900103"}, skills: [scam]}
  - {id: dee, name: Dee Okoro, phones: {sms: "+447700900109", voice: "+447700900109"}, roles: [duty_officer]}
rota:
  - {responder: asha, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
  - {responder: ben, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
  - {responder: dee, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
escalation:
  - {after: PT0M, action: offer, to: best_responder, answer_within: PT5M}
  - {after: PT5M, action: offer, to: next_responder, answer_within: PT5M}
  - {after: PT15M, action: notify, to: duty_officer, by: [sms, voice]}
  - {after: PT30M, action: notify, to: team_leader, by: [sms, voice]}
  - {after: PT60M, action: notify, to: head_of_service, by: [sms, voice]}
on_call: [cat]
contacts: {duty_officer: "+447700900109", team_leader: "+447700900120", head_of_service: "+447700900121", hate_crime_lead: "+447700900122", desk: "+447700900123"}
"""
