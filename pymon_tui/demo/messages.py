"""What Py_Monitor tells its users: notifications in Korean and English, from a seeded random stream."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pymon_tui.services.notification import Level


@dataclass(frozen=True, slots=True)
class Wording:
    """One kind of notification; `{project}` and `{number}` stand for what it is about."""

    level: Level
    title: str
    message: str


WORDINGS = (
    Wording(Level.CRITICAL, "서버 응답 없음", "{project}: /health 엔드포인트가 {number}초 동안 응답하지 않습니다"),
    Wording(Level.CRITICAL, "Error rate above 5 %", "{project}: {number} of the last 500 requests failed"),
    Wording(Level.CRITICAL, "데이터베이스 연결 실패", "{project}: 연결 풀이 가득 찼습니다 (대기 {number}건)"),
    Wording(Level.CRITICAL, "Certificate expires", "{project}: the TLS certificate is valid for {number} more hours"),
    Wording(Level.WARNING, "응답 시간 증가", "{project}: p95 응답 시간이 {number}ms를 넘었습니다"),
    Wording(Level.WARNING, "High memory usage", "{project}: worker {number} uses more than 80 % of its limit"),
    Wording(Level.WARNING, "캐시 적중률 저하", "{project}: 최근 5분 동안 캐시 미스 {number}건"),
    Wording(Level.WARNING, "Retry budget half spent", "{project}: {number} retries in the last minute"),
    Wording(Level.INFO, "배포 시작", "{project}: 빌드 #{number} 배포를 시작했습니다"),
    Wording(Level.INFO, "New comment", "{project}: incident #{number} has a new comment"),
    Wording(Level.INFO, "주간 보고서", "{project}: 이번 주 요청 {number}천 건, 보고서가 준비되었습니다"),
    Wording(Level.INFO, "Member joined", "{project}: {number} people now follow this project"),
    Wording(Level.OK, "복구 완료", "{project}: {number}초 만에 정상 상태로 돌아왔습니다 ✅"),
    Wording(Level.OK, "All checks pass", "{project}: {number} endpoints healthy"),
)
WEIGHTS = {Level.CRITICAL: 2, Level.WARNING: 5, Level.INFO: 10, Level.OK: 10}
_SHARES = [WEIGHTS[wording.level] for wording in WORDINGS]
PROJECTS = ("주문 API", "checkout", "결제 서비스", "search-v2", "회원 인증", "image-resizer", "정산 배치", "gateway")


@dataclass(frozen=True, slots=True)
class Message:
    """What one notification says."""

    level: Level
    title: str
    message: str
    project: str


def message(random: Random) -> Message:
    """Something that a user is told."""
    (wording,) = random.choices(WORDINGS, _SHARES)
    project = random.choice(PROJECTS)
    said = wording.message.format(project=project, number=random.randrange(3, 480))
    return Message(wording.level, wording.title, said, project)
